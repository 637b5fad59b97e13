package repotest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// row is a row to insert: its columns and their values.
type row map[string]any

// The parents that Begin inserts for rows which cannot be without one.
const (
	aChat      = "a-chat"
	aChannel   = "a-channel"
	aKnowledge = "a-knowledge"
	aMessage   = "a-message"
	aUser      = "a-user"
)

// fresh stands for a value that no other row has.
const fresh = "a fresh value"

// idless are the tables without a column id.
var idless = []string{"alembic_version", "config", "document"}

// required are the columns that a row of a table cannot be without, beside id.
var required = map[string]row{
	"app":                 {"name": fresh, "slug": fresh, "data": "{}", "created_at": 1, "updated_at": 1},
	"automation":          {"user_id": aUser, "name": fresh, "data": "{}", "is_active": true, "created_at": 1, "updated_at": 1},
	"automation_run":      {"automation_id": "a", "status": "success", "created_at": 1},
	"calendar":            {"user_id": aUser, "name": fresh, "is_default": false, "created_at": 1, "updated_at": 1},
	"calendar_event":      {"calendar_id": "c", "user_id": aUser, "title": "t", "start_at": 1, "all_day": false, "is_cancelled": false, "created_at": 1, "updated_at": 1},
	"channel_file":        {"user_id": aUser, "channel_id": aChannel, "created_at": 1, "updated_at": 1},
	"channel_member":      {"channel_id": aChannel, "user_id": aUser, "joined_at": 1},
	"channel_webhook":     {"channel_id": aChannel, "user_id": aUser, "name": fresh, "token": fresh, "created_at": 1, "updated_at": 1},
	"chat":                {"user_id": aUser, "created_at": 1, "updated_at": 1, "archived": false},
	"chat_file":           {"user_id": aUser, "chat_id": aChat, "created_at": 1, "updated_at": 1},
	"chat_message":        {"chat_id": aChat, "role": "user"},
	"config":              {"key": fresh},
	"document":            {"collection_name": fresh},
	"config_old":          {"id": 1, "version": 0},
	"feedback":            {"created_at": 1, "updated_at": 1},
	"folder":              {"user_id": aUser, "name": fresh, "is_expanded": false, "created_at": 1, "updated_at": 1},
	"function_history":    {"function_id": "f", "user_id": aUser, "created_at": 1},
	"knowledge":           {"user_id": aUser, "name": fresh, "created_at": 1},
	"knowledge_directory": {"name": fresh, "knowledge_id": aKnowledge, "user_id": aUser, "created_at": 1, "updated_at": 1},
	"knowledge_file":      {"user_id": aUser, "knowledge_id": aKnowledge, "created_at": 1, "updated_at": 1},
	"message":             {"user_id": aUser, "channel_id": aChannel, "created_at": 1, "updated_at": 1},
	"message_reaction":    {"user_id": aUser, "name": fresh, "created_at": 1},
	"model_history":       {"model_id": "m", "snapshot": "{}", "user_id": aUser, "created_at": 1},
	"prompt":              {"user_id": aUser, "name": fresh, "content": "c", "created_at": 1, "updated_at": 1},
	"prompt_history":      {"prompt_id": "p", "user_id": aUser, "created_at": 1},
	"shared_chat":         {"chat_id": aChat, "user_id": aUser},
	"skill":               {"user_id": aUser, "name": fresh, "content": "c", "is_active": true, "created_at": 1, "updated_at": 1},
	"skill_history":       {"skill_id": "s", "user_id": aUser, "created_at": 1},
	"tag":                 {"user_id": aUser},
	"tool_history":        {"tool_id": "t", "user_id": aUser, "created_at": 1},
	"access_grant": {"resource_type": "file", "principal_type": "user", "principal_id": aUser,
		"permission": "read", "created_at": 1},
}

// insert inserts a row, completed, and returns its id.
func (e Engine) insert(t testing.TB, table string, r row) string {
	t.Helper()
	return e.insertWith(t, e.Exec, table, r)
}

func (e Engine) insertWith(t testing.TB, exec func(testing.TB, string, ...any) int64, table string, r row) string {
	t.Helper()
	full := e.completed(t, table, r)
	maps.Copy(full, r)
	for column, value := range full {
		if value == fresh {
			full[column] = newID(column)
		}
	}
	columns := slices.Sorted(maps.Keys(full))
	var places []string
	var values []any
	for i, column := range columns {
		places, values = append(places, fmt.Sprintf("$%d", i+1)), append(values, full[column])
	}
	exec(t, fmt.Sprintf(`INSERT INTO "%s" ("%s") VALUES (%s)`, table,
		strings.Join(columns, `", "`), strings.Join(places, ", ")), values...)
	id, _ := full["id"].(string)
	return id
}

// newID is an id that is no UUID, so that no search takes it for one.
func newID(prefix string) string {
	return prefix + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")
}

// parents inserts what rows hang on.
func (e Engine) parents(t testing.TB) {
	t.Helper()
	e.insert(t, "chat", row{"id": aChat})
	e.insert(t, "channel", row{"id": aChannel})
	e.insert(t, "knowledge", row{"id": aKnowledge})
	e.insert(t, "message", row{"id": aMessage})
	e.insert(t, "user", row{"id": aUser})
}

const day = 24 * time.Hour

// file inserts a file that was uploaded long ago, and returns its id. What r
// holds goes before.
func (e Engine) file(t testing.TB, r row) string {
	t.Helper()
	full := aged(30 * day)
	id := uuid.NewString()
	maps.Copy(full, row{"id": id, "user_id": aUser, "filename": "report.pdf", "path": "/data/uploads/" + id + "_report.pdf",
		"data": `{"status":"completed","content":"a text"}`, "meta": `{"name":"report.pdf"}`})
	maps.Copy(full, r)
	return e.insert(t, "file", full)
}

// aged are the times of a row that was made and touched so long ago.
func aged(age time.Duration) row {
	at := time.Now().Add(-age).Unix()
	return row{"created_at": at, "updated_at": at}
}

func (e Engine) files(t testing.TB, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = e.file(t, nil)
	}
	return ids
}

// background is the context of what ends with the case.
func background() context.Context { return context.Background() }

// stamped is aged, in another unit.
func stamped(age, unit time.Duration) row {
	at := time.Now().Add(-age).UnixNano() / int64(unit)
	return row{"created_at": at, "updated_at": at}
}
