package openwebui

import "strings"

// Citations are where Open WebUI writes what an answer cites, as
// table.column.path; * is any key or index. A column without a path holds nothing
// else (openwebui: models/chats.py, models/chat_messages.py, models/feedbacks.py).
var Citations = []string{
	"chat.chat.history.messages.*.sources",
	"chat.chat.messages.*.sources",
	"shared_chat.chat.history.messages.*.sources",
	"shared_chat.chat.messages.*.sources",
	"chat_message.sources",
	"feedback.snapshot.chat.chat.history.messages.*.sources",
	"feedback.snapshot.chat.chat.messages.*.sources",
}

// CitationsOf are the paths of Citations within one column; whole says that the
// column holds nothing but citations.
func CitationsOf(table, column string) (paths [][]string, whole bool) {
	for _, c := range Citations {
		parts := strings.Split(c, ".")
		switch {
		case parts[0] != table || parts[1] != column:
		case len(parts) == 2:
			whole = true
		default:
			paths = append(paths, parts[2:])
		}
	}
	return paths, whole
}
