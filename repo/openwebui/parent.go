package openwebui

// Parent is a row without which another row of Open WebUI's is dead: nothing in the
// application leads to the one but by the other.
type Parent struct {
	Child, Column string // the row that is dead, and its column that names the parent
	Table, Key    string // the parent, and the column that it is named by
}

// Parents are all that make a row dead. A foreign key makes none: one that nobody
// enforces says nothing about life. The application serves a shared chat whose chat
// is gone (openwebui 0.12.4: GET /api/v1/chats/share/{id} reads shared_chat alone),
// and what a plugin's rows live by nobody but the plugin knows. A row with a parent
// that cannot be looked up, since that has no such table or column, lives.
//
// What the application leaves behind like this, since it asks SQLite for no foreign
// keys and deletes a channel without its messages (openwebui: models/chats.py,
// models/channels.py, models/knowledge.py):
var Parents = []Parent{
	{"chat_file", "chat_id", "chat", "id"},
	{"channel_file", "channel_id", "channel", "id"},
	{"channel_file", "message_id", "message", "id"},
	{"knowledge_file", "knowledge_id", "knowledge", "id"},
	{"chat_message", "chat_id", "chat", "id"},
	{"message", "channel_id", "channel", "id"},
}

// ParentsOf are the parents of the rows of a table.
func ParentsOf(table string) (parents []Parent) {
	for _, p := range Parents {
		if p.Child == table {
			parents = append(parents, p)
		}
	}
	return parents
}

// VectorOwners are the tables whose rows things in a vector store live by, named by their
// ids: the memories of a user, a memory, the entry of a knowledge base by which it is
// searched for (openwebui 0.12.4: routers/memories.py, routers/knowledge.py).
var VectorOwners = []string{"user", "memory", "knowledge"}
