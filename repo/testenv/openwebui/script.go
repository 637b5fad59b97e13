package openwebui

// place is one way in which Open WebUI comes to hold files, or to leave them behind.
type place struct {
	name   string
	files  int
	fate   func(*World) *[]File
	put    putter
	raw    bool // uploaded without processing, as the front end uploads images
	guest  bool // belongs to the user who is deleted at the end
	copies bool // has the text that was uploaded last
}

func used(w *World) *[]File   { return &w.Used }
func unused(w *World) *[]File { return &w.Unused }
func gone(w *World) *[]File   { return &w.Gone }

func (s *Scenario) places() []place {
	return []place{
		{name: "a chat", files: 4, fate: used, put: chat},
		{name: "a chat, not processed", files: 1, fate: used, put: chat, raw: true},
		{name: "a deleted chat", files: 4, fate: unused, put: deletedChat},
		{name: "a deleted chat, not processed", files: 1, fate: unused, put: deletedChat, raw: true},
		{name: "two chats, one of them deleted", files: 2, fate: used, put: both(chat, deletedChat)},
		{name: "the clone of a deleted chat", files: 2, fate: used, put: clonedChat},
		{name: "an answered chat", files: 2, fate: used, put: answeredChat},
		{name: "a deleted answered chat", files: 2, fate: unused, put: deletedAnsweredChat},
		{name: "a folder", files: 2, fate: used, put: folder},
		{name: "a deleted folder and its chat", files: 2, fate: unused, put: deletedFolder},
		{name: "a note", files: 2, fate: used, put: note},
		{name: "a deleted note", files: 2, fate: unused, put: deletedNote},
		{name: "a model", files: 1, fate: used, put: model},
		{name: "the shelf", files: 4, fate: used, put: s.onShelf},
		{name: "a deleted chat, with a text that is on the shelf", files: 1, fate: unused, put: deletedChat, copies: true},
		{name: "the shelf and a deleted knowledge base", files: 2, fate: used, put: both(s.onShelf, s.deletedKnowledge)},
		{name: "a deleted knowledge base", files: 4, fate: unused, put: s.deletedKnowledge},
		{name: "moved from the shelf to the cabinet", files: 1, fate: used, put: s.moved},
		{name: "removed from the shelf", files: 2, fate: unused, put: s.removed},
		{name: "removed from the shelf and deleted", files: 1, fate: gone, put: s.removedAndDeleted},
		{name: "the shelf and the cabinet, removed from the shelf and deleted", files: 1, fate: gone, put: s.deletedFromShelf},
		{name: "the shelf and the cabinet, removed from the cabinet and deleted", files: 1, fate: gone, put: s.deletedFromCabinet},
		{name: "deleted by its owner", files: 1, fate: gone, put: deletedFiles},
		{name: "nowhere", files: 2, fate: unused, put: nowhere},
		{name: "a note of a deleted user", files: 1, fate: used, put: note, guest: true},
		{name: "a chat of a deleted user", files: 1, fate: unused, put: chat, guest: true},
		{name: "the cabinet, by a deleted user", files: 1, fate: used, put: s.inCabinet, guest: true},
	}
}
