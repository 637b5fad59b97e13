package testenv

import (
	"encoding/json"
	"testing"
)

var (
	userTable = table{"user", []string{
		"id", "name", "email", "role", "profile_image_url", "last_active_at", "created_at", "updated_at",
	}}
	memoryTable        = table{"memory", []string{"id", "user_id", "content", "created_at", "updated_at"}}
	knowledgeTable     = table{"knowledge", []string{"id", "user_id", "name", "description", "meta", "created_at", "updated_at"}}
	knowledgeFileTable = table{"knowledge_file", []string{"id", "user_id", "knowledge_id", "file_id", "created_at", "updated_at"}}
	noteTable          = table{"note", []string{"id", "user_id", "title", "data", "meta", "created_at", "updated_at"}}
	folderTable        = table{"folder", []string{
		"id", "user_id", "name", "items", "meta", "data", "is_expanded", "created_at", "updated_at",
	}}
	modelTable = table{"model", []string{
		"id", "user_id", "base_model_id", "name", "params", "meta", "is_active", "created_at", "updated_at",
	}}
)

// InsertUser inserts the owner of the fixtures and returns UserID. Nothing
// needs that row: the application has no foreign keys to users.
func InsertUser(t testing.TB, db DB) string {
	t.Helper()
	userTable.insert(t, db, userRow())
	return UserID
}

// InsertMemory inserts a memory of a user and returns its id, which is also that of its
// point in the user's collection.
func InsertMemory(t testing.TB, db DB, user string) string {
	t.Helper()
	id, at := NewID(), longAgo().Unix()
	memoryTable.insert(t, db, []any{id, user, "The harbour is green.", at, at})
	return id
}

// InsertKnowledge inserts a knowledge base that holds the files, and returns
// its id, which is also the name of its collection of vectors.
func InsertKnowledge(t testing.TB, db DB, files ...string) string {
	t.Helper()
	id := NewID()
	knowledgeTable.insert(t, db, knowledgeRow(id))
	for _, file := range files {
		LinkKnowledge(t, db, id, file)
	}
	return id
}

// LinkKnowledge puts a file into a knowledge base, without its vectors.
func LinkKnowledge(t testing.TB, db DB, knowledgeID, fileID string) {
	t.Helper()
	knowledgeFileTable.insert(t, db, knowledgeFileRow(knowledgeID, fileID))
}

// InsertNote inserts a note with files attached and returns its id.
func InsertNote(t testing.TB, db DB, files ...string) string {
	t.Helper()
	row := noteRow(files)
	noteTable.insert(t, db, row)
	return row[0].(string)
}

// InsertFolder inserts a folder of chats with files attached and returns its id.
func InsertFolder(t testing.TB, db DB, files ...string) string {
	t.Helper()
	id, at := NewID(), longAgo().Unix()
	folderTable.insert(t, db, []any{
		id, UserID, "A folder", object{}, object{}, object{"files": attachments(files)}, false, at, at,
	})
	return id
}

// InsertModel inserts a model with files as its knowledge and returns its id.
func InsertModel(t testing.TB, db DB, files ...string) string {
	t.Helper()
	row := modelRow(files)
	modelTable.insert(t, db, row)
	return row[0].(string)
}

func userRow() []any {
	at := longAgo().Unix()
	return []any{UserID, "A user", "user@example.com", "user", "/user.png", at, at, at}
}

func knowledgeRow(id string) []any {
	at := longAgo().Unix()
	return []any{id, UserID, "Handbooks", "What we know", object{}, at, at}
}

func knowledgeFileRow(knowledgeID, fileID string) []any {
	at := longAgo().Unix()
	return []any{NewID(), UserID, knowledgeID, fileID, at, at}
}

func noteRow(files []string) []any {
	at := longAgo().UnixNano()
	content := object{"json": nil, "html": "<p>A note</p>", "md": "A note"}
	data := object{"content": content, "versions": []any{}, "files": attachments(files)}
	return []any{NewID(), UserID, "A note", data, object{}, at, at}
}

// modelRow has meta and params as text, which is what the columns are.
func modelRow(files []string) []any {
	at := longAgo().Unix()
	meta, _ := json.Marshal(object{ // strings and maps always marshal
		"description": "A model", "capabilities": object{"vision": true}, "knowledge": attachments(files),
	})
	id := "model-" + NewID()
	return []any{id, UserID, "base-model", "A model", `{"system": "Be kind."}`, string(meta), true, at, at}
}
