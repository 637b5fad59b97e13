package testenv

import (
	"testing"
	"time"
)

// Chat is a row of table chat, with one question and its answer. What is zero
// is filled in by InsertChat.
type Chat struct {
	ID        string
	UserID    string
	Title     string
	Content   string   // of the question
	Files     []string // ids of files attached to the question, in the JSON only
	CreatedAt time.Time
}

var (
	chatTable = table{"chat", []string{
		"id", "user_id", "title", "chat", "created_at", "updated_at", "archived", "pinned", "meta",
	}}
	chatFileTable = table{"chat_file", []string{
		"id", "user_id", "chat_id", "file_id", "message_id", "created_at", "updated_at",
	}}
	channelTable = table{"channel", []string{
		"id", "user_id", "name", "description", "data", "meta", "created_at", "updated_at",
	}}
	channelFileTable = table{"channel_file", []string{
		"id", "user_id", "channel_id", "file_id", "message_id", "created_at", "updated_at",
	}}
	messageTable = table{"message", []string{
		"id", "user_id", "channel_id", "content", "data", "meta", "created_at", "updated_at",
	}}
)

// InsertChat inserts a chat that mentions files in its JSON and nowhere else,
// which is all that most chats do.
func InsertChat(t testing.TB, db DB, c Chat) Chat {
	t.Helper()
	c = c.complete()
	chatTable.insert(t, db, c.row())
	return c
}

// LinkChat adds the row of chat_file that the application writes for some
// attachments.
func LinkChat(t testing.TB, db DB, chatID, fileID string) {
	t.Helper()
	chatFileTable.insert(t, db, linkRow(chatID, fileID))
}

// InsertChannel inserts an empty channel and returns its id.
func InsertChannel(t testing.TB, db DB) string {
	t.Helper()
	id, at := NewID(), longAgo().UnixNano()
	channelTable.insert(t, db, []any{id, UserID, "general", "", object{}, object{}, at, at})
	return id
}

// LinkChannel adds a row of channel_file, as yet without a message.
func LinkChannel(t testing.TB, db DB, channelID, fileID string) {
	t.Helper()
	channelFileTable.insert(t, db, linkRow(channelID, fileID))
}

// InsertMessage inserts a message of a channel with files attached, in the
// JSON only, and returns its id.
func InsertMessage(t testing.TB, db DB, channelID, content string, files ...string) string {
	t.Helper()
	id, at := NewID(), longAgo().UnixNano()
	messageTable.insert(t, db, []any{id, UserID, channelID, content, object{"files": attachments(files)}, object{}, at, at})
	return id
}

func (c Chat) complete() Chat {
	c.ID = orDefault(c.ID, NewID())
	c.UserID = orDefault(c.UserID, UserID)
	c.Title = orDefault(c.Title, "A chat")
	c.Content = orDefault(c.Content, "What does this say?")
	c.CreatedAt = orLongAgo(c.CreatedAt)
	return c
}

func (c Chat) row() []any {
	question, answer, at := NewID(), NewID(), c.CreatedAt.Unix()
	messages := object{
		question: object{
			"id": question, "parentId": nil, "childrenIds": []string{answer}, "role": "user",
			"content": c.Content, "files": attachments(c.Files), "models": []string{"a-model"}, "timestamp": at,
		},
		answer: object{
			"id": answer, "parentId": question, "childrenIds": []string{}, "role": "assistant",
			"content": "It says so.", "model": "a-model", "done": true, "timestamp": at,
		},
	}
	chat := object{
		"id": "", "title": c.Title, "models": []string{"a-model"}, "params": object{}, "tags": []string{},
		"files": []any{}, "history": object{"messages": messages, "currentId": answer}, "timestamp": at * 1000,
	}
	return []any{c.ID, c.UserID, c.Title, chat, at, at, false, false, object{}}
}

// attachments are files as they stand in the JSON of chats, messages, notes
// and folders.
func attachments(files []string) []any {
	list := []any{}
	for _, id := range files {
		list = append(list, object{
			"type": "file", "id": id, "url": id, "name": "document.pdf", "status": "uploaded",
			"collection_name": FileCollection(id), "size": storedSize, "error": "",
			"file": object{"id": id, "filename": "document.pdf", "meta": object{"name": "document.pdf"}},
		})
	}
	return list
}

// linkRow is a row of chat_file or channel_file.
func linkRow(parentID, fileID string) []any {
	at := longAgo().Unix()
	return []any{NewID(), UserID, parentID, fileID, nil, at, at}
}
