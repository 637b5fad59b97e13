package demo

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

//go:embed webui.sql
var webuiSchema string

// rowWriter writes Open WebUI's tables.
type rowWriter struct {
	*writer
	chunks  *chroma
	user    string
	now     time.Time
	made    int64  // when what mentions files was made, in seconds
	shelf   string // the knowledge base that is being filled
	shelved int
}

// perShelf files are in one knowledge base.
const perShelf = 40

func newRowWriter(ctx context.Context, path string, chunks *chroma) (*rowWriter, error) {
	w, err := newWriter(ctx, path, "WAL", webuiSchema)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &rowWriter{writer: w, chunks: chunks, user: uuid.NewString(), now: now, made: now.Add(-old).Unix()}, nil
}

// writeFile writes the row of a file.
func (s *rowWriter) writeFile(f File, path string) error {
	made := s.now.Add(-f.Kind.uploadedAgo()).Unix()
	data := map[string]any{"content": "The report of file " + f.ID + "."}
	if f.Kind.status != "" {
		data["status"] = f.Kind.status
	}
	return s.execInsert(`INSERT INTO file (id, user_id, filename, meta, created_at, updated_at, data, path) VALUES (?, ?, 'report.txt', ?, ?, ?, ?, ?)`,
		f.ID, s.user, encodeJSON(map[string]any{"name": "report.txt", "content_type": "text/plain", "size": 64}), made, made, encodeJSON(data), path)
}

// attachToChat attaches the file, as the application does when a message is sent.
func (s *rowWriter) attachToChat(f File) error {
	chat, err := s.newChat(map[string]any{"id": f.ID, "type": "file", "url": f.ID, "name": "report.txt"}, "Summarize this.")
	if err != nil {
		return err
	}
	return s.writeLink("chat_file", "chat_id", chat, f)
}

// mentionInAnswer mentions the file in the text of an answer, and nowhere else.
func (s *rowWriter) mentionInAnswer(f File) error {
	_, err := s.newChat(nil, "![Generated Image](/api/v1/files/"+f.ID+"/content)")
	return err
}

// leaveChatLink leaves the link of a deleted chat, as SQLite does.
func (s *rowWriter) leaveChatLink(f File) error {
	return s.writeLink("chat_file", "chat_id", uuid.NewString(), f)
}

func (s *rowWriter) newChat(file map[string]any, content string) (id string, err error) {
	id = uuid.NewString()
	message := map[string]any{"id": uuid.NewString(), "role": "user", "content": content}
	if file != nil {
		message["files"] = []any{file}
	}
	history := map[string]any{"title": "A chat", "history": map[string]any{"messages": map[string]any{message["id"].(string): message}}}
	return id, s.execInsert(`INSERT INTO chat (id, user_id, title, created_at, updated_at, archived, chat, pinned) VALUES (?, ?, 'A chat', ?, ?, 0, ?, 0)`,
		id, s.user, s.made, s.made, encodeJSON(history))
}

// writeLink writes a row of a table between files and something else.
func (s *rowWriter) writeLink(table, column, parent string, f File) error {
	return s.execInsert(fmt.Sprintf(`INSERT INTO %s (id, user_id, %s, file_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)`, table, column),
		uuid.NewString(), s.user, parent, f.ID, s.made, s.made)
}

// addToKnowledge puts the file, with a copy of its vectors, into a knowledge base.
func (s *rowWriter) addToKnowledge(f File) error {
	if s.shelved%perShelf == 0 {
		s.shelf = uuid.NewString()
		if err := s.execInsert(`INSERT INTO knowledge (id, user_id, name, description, created_at, updated_at) VALUES (?, ?, 'Reports', '', ?, ?)`,
			s.shelf, s.user, s.made, s.made); err != nil {
			return err
		}
	}
	s.shelved++
	if err := s.writeLink("knowledge_file", "knowledge_id", s.shelf, f); err != nil {
		return err
	}
	return s.chunks.addChunks(s.shelf, f.ID, chunksPerFile)
}

// leaveKnowledgeLink leaves the link of a deleted knowledge base.
func (s *rowWriter) leaveKnowledgeLink(f File) error {
	return s.writeLink("knowledge_file", "knowledge_id", uuid.NewString(), f)
}

func (s *rowWriter) attachToNote(f File) error {
	data := map[string]any{"content": map[string]any{"md": "See the report."}, "files": []any{map[string]any{"id": f.ID, "type": "file"}}}
	return s.execInsert(`INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES (?, ?, 'A note', ?, ?, ?)`,
		uuid.NewString(), s.user, encodeJSON(data), s.made*1e9, s.made*1e9)
}

func (s *rowWriter) addToFolder(f File) error {
	return s.execInsert(`INSERT INTO folder (id, user_id, name, is_expanded, created_at, updated_at, data) VALUES (?, ?, 'A folder', 0, ?, ?, ?)`,
		uuid.NewString(), s.user, s.made, s.made, encodeJSON(map[string]any{"files": []any{map[string]any{"id": f.ID, "type": "file"}}}))
}

func (s *rowWriter) sendToChannel(f File) error {
	channel, message := uuid.NewString(), uuid.NewString()
	if err := s.execInsert(`INSERT INTO channel (id, user_id, name, created_at, updated_at) VALUES (?, ?, 'general', ?, ?)`, channel, s.user, s.made*1e9, s.made*1e9); err != nil {
		return err
	}
	return s.execInsert(`INSERT INTO message (id, user_id, channel_id, content, data, created_at, updated_at) VALUES (?, ?, ?, 'Here it is.', ?, ?, ?)`,
		message, s.user, channel, encodeJSON(map[string]any{"files": []any{map[string]any{"id": f.ID, "type": "file"}}}), s.made*1e9, s.made*1e9)
}

func (s *rowWriter) setModelImage(f File) error {
	return s.execInsert(`INSERT INTO model (id, user_id, name, params, meta, created_at, updated_at) VALUES (?, ?, 'A model', '{}', ?, ?, ?)`,
		uuid.NewString(), s.user, encodeJSON(map[string]any{"background_image_url": "/api/v1/files/" + f.ID + "/content"}), s.made, s.made)
}

// encodeJSON makes JSON as the application's columns hold it.
func encodeJSON(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("maps of texts cannot be encoded: %v", err))
	}
	return string(encoded)
}
