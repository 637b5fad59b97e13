package openwebui

// Dangling are the links of rows that nothing in Open WebUI can reach once the parent is
// gone, in the order in which they are removed. It asks SQLite for no foreign keys, so that
// they stay there when a chat, a file or a knowledge base is deleted; those of a channel
// and the memories of a user stay in every database (openwebui 0.12.4: models/chats.py,
// files.py, knowledge.py, channels.py, messages.py, memories.py). Each is read by its parent's id only, or the parent is looked
// up before anything is answered; of a file that is gone there is nothing to answer.
//
// Not among them is what is read without the parent. A shared chat is opened by its own id,
// listed to whoever shared it, and found by a search, whether or not its chat is there
// (routers/chats.py, routers/search.py); deleting a chat deletes it. The messages of a chat
// go with it as well, and the statistics of models count them without asking for the chat
// (models/chat_messages.py). A file in a channel is given to its members though the message
// is gone (models/channels.py).
var Dangling = []Parent{
	{"message", "channel_id", "channel", "id"},
	{"message_reaction", "message_id", "message", "id"},
	{"channel_member", "channel_id", "channel", "id"},
	{"channel_webhook", "channel_id", "channel", "id"},
	{"channel_file", "channel_id", "channel", "id"},
	{"channel_file", "file_id", "file", "id"},
	{"chat_file", "chat_id", "chat", "id"},
	{"chat_file", "file_id", "file", "id"},
	{"knowledge_directory", "knowledge_id", "knowledge", "id"},
	{"knowledge_file", "knowledge_id", "knowledge", "id"},
	{"knowledge_file", "file_id", "file", "id"},
	{"memory", "user_id", "user", "id"},
}

// DanglingTables are the tables of Dangling, each once.
var DanglingTables = func() (tables []string) {
	for i, link := range Dangling {
		if i == 0 || Dangling[i-1].Child != link.Child {
			tables = append(tables, link.Child)
		}
	}
	return tables
}()
