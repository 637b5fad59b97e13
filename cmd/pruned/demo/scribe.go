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

// scribe writes Open WebUI's tables.
type scribe struct {
	*writer
	chunks  *chroma
	user    string
	now     time.Time
	shelf   string // the knowledge base that is being filled
	shelved int
}

// perShelf files are in one knowledge base.
const perShelf = 40

func newScribe(ctx context.Context, path string, chunks *chroma) (*scribe, error) {
	w, err := newWriter(ctx, path, "WAL", webuiSchema)
	if err != nil {
		return nil, err
	}
	return &scribe{writer: w, chunks: chunks, user: uuid.NewString(), now: time.Now()}, nil
}

// file writes the row of a file.
func (s *scribe) file(f File, path string) error {
	made := s.now.Add(-f.Kind.since()).Unix()
	data := map[string]any{"content": "The report of file " + f.ID + "."}
	if f.Kind.status != "" {
		data["status"] = f.Kind.status
	}
	return s.exec(`INSERT INTO file (id, user_id, filename, meta, created_at, updated_at, data, path) VALUES (?, ?, 'report.txt', ?, ?, ?, ?, ?)`,
		f.ID, s.user, text(map[string]any{"name": "report.txt", "content_type": "text/plain", "size": 64}), made, made, text(data), path)
}

// chat attaches the file, as the application does when a message is sent.
func (s *scribe) chat(f File) error {
	chat, err := s.newChat(map[string]any{"id": f.ID, "type": "file", "url": f.ID, "name": "report.txt"}, "Summarize this.")
	if err != nil {
		return err
	}
	return s.link("chat_file", "chat_id", chat, f)
}

// image is mentioned by the text of an answer, and nowhere else.
func (s *scribe) image(f File) error {
	_, err := s.newChat(nil, "![Generated Image](/api/v1/files/"+f.ID+"/content)")
	return err
}

// deletedChat leaves the link, which is what SQLite does.
func (s *scribe) deletedChat(f File) error {
	return s.link("chat_file", "chat_id", uuid.NewString(), f)
}

func (s *scribe) newChat(file map[string]any, content string) (id string, err error) {
	id = uuid.NewString()
	message := map[string]any{"id": uuid.NewString(), "role": "user", "content": content}
	if file != nil {
		message["files"] = []any{file}
	}
	history := map[string]any{"title": "A chat", "history": map[string]any{"messages": map[string]any{message["id"].(string): message}}}
	made := s.now.Add(-old).Unix()
	return id, s.exec(`INSERT INTO chat (id, user_id, title, created_at, updated_at, archived, chat, pinned) VALUES (?, ?, 'A chat', ?, ?, 0, ?, 0)`,
		id, s.user, made, made, text(history))
}

// link writes a row of a table between files and something else.
func (s *scribe) link(table, column, parent string, f File) error {
	made := s.now.Add(-old).Unix()
	return s.exec(fmt.Sprintf(`INSERT INTO %s (id, user_id, %s, file_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)`, table, column),
		uuid.NewString(), s.user, parent, f.ID, made, made)
}

// knowledge puts the file, with a copy of its vectors, into a knowledge base.
func (s *scribe) knowledge(f File) error {
	if s.shelved%perShelf == 0 {
		s.shelf = uuid.NewString()
		made := s.now.Add(-old).Unix()
		if err := s.exec(`INSERT INTO knowledge (id, user_id, name, description, created_at, updated_at) VALUES (?, ?, 'Reports', '', ?, ?)`,
			s.shelf, s.user, made, made); err != nil {
			return err
		}
	}
	s.shelved++
	if err := s.link("knowledge_file", "knowledge_id", s.shelf, f); err != nil {
		return err
	}
	return s.chunks.add(s.shelf, f.ID, chunksPerFile)
}

// deletedKnowledge leaves the link too.
func (s *scribe) deletedKnowledge(f File) error {
	return s.link("knowledge_file", "knowledge_id", uuid.NewString(), f)
}

func (s *scribe) note(f File) error {
	data := map[string]any{"content": map[string]any{"md": "See the report."}, "files": []any{map[string]any{"id": f.ID, "type": "file"}}}
	made := s.now.Add(-old).Unix()
	return s.exec(`INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES (?, ?, 'A note', ?, ?, ?)`,
		uuid.NewString(), s.user, text(data), made*1e9, made*1e9)
}

func (s *scribe) folder(f File) error {
	made := s.now.Add(-old).Unix()
	return s.exec(`INSERT INTO folder (id, user_id, name, is_expanded, created_at, updated_at, data) VALUES (?, ?, 'A folder', 0, ?, ?, ?)`,
		uuid.NewString(), s.user, made, made, text(map[string]any{"files": []any{map[string]any{"id": f.ID, "type": "file"}}}))
}

func (s *scribe) channel(f File) error {
	channel, message := uuid.NewString(), uuid.NewString()
	made := s.now.Add(-old).UnixNano()
	if err := s.exec(`INSERT INTO channel (id, user_id, name, created_at, updated_at) VALUES (?, ?, 'general', ?, ?)`, channel, s.user, made, made); err != nil {
		return err
	}
	return s.exec(`INSERT INTO message (id, user_id, channel_id, content, data, created_at, updated_at) VALUES (?, ?, ?, 'Here it is.', ?, ?, ?)`,
		message, s.user, channel, text(map[string]any{"files": []any{map[string]any{"id": f.ID, "type": "file"}}}), made, made)
}

func (s *scribe) model(f File) error {
	made := s.now.Add(-old).Unix()
	return s.exec(`INSERT INTO model (id, user_id, name, params, meta, created_at, updated_at) VALUES (?, ?, 'A model', '{}', ?, ?, ?)`,
		uuid.NewString(), s.user, text(map[string]any{"background_image_url": "/api/v1/files/" + f.ID + "/content"}), made, made)
}

// text is JSON as the application's columns hold it.
func text(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("maps of texts cannot be encoded: %v", err))
	}
	return string(encoded)
}
