package openwebui

// Title is how people know a row that mentions files: by the name of what it is, or of
// what it belongs to.
type Title struct {
	Table, Link string // the row, and its column that names what it belongs to
	Of, Column  string // what that is, and the column that has its name
	What        string // for people
}

// Titles are those of the tables in which files are used, chats aside. What is named has a
// column user_id (models/notes.py, models/knowledge.py, models/channels.py,
// models/models.py, models/folders.py).
var Titles = []Title{
	{"note", "id", "note", "title", "note"},
	{"knowledge", "id", "knowledge", "name", "knowledge base"},
	{"knowledge_file", "knowledge_id", "knowledge", "name", "knowledge base"},
	{"channel", "id", "channel", "name", "channel"},
	{"channel_file", "channel_id", "channel", "name", "channel"},
	{"message", "channel_id", "channel", "name", "channel"},
	{"model", "id", "model", "name", "model"},
	{"folder", "id", "folder", "name", "folder"},
}

// FindTitle says how people know the rows of a table; there is false where they do not.
func FindTitle(table string) (title Title, there bool) {
	for _, t := range Titles {
		if t.Table == table {
			return t, true
		}
	}
	return Title{}, false
}
