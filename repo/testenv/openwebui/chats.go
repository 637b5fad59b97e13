package openwebui

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// Chat is a chat to make.
type Chat struct {
	Title    string
	FolderID string   // none if empty
	Files    []string // ids, attached to its one message
	// Collections are names of collections, attached to it as pasted texts and searches of the web are.
	Collections []string
}

// NewChat makes a chat with one message. Its files are mentioned in JSON only: there is no row in
// chat_file.
func (c *Client) NewChat(ctx context.Context, chat Chat) (chatID string, err error) {
	form := object{"chat": chat.content()}
	if chat.FolderID != "" {
		form["folder_id"] = chat.FolderID
	}
	return c.create(ctx, "/api/v1/chats/new", form)
}

// SaveChat writes a chat anew, as the front end does after every change.
func (c *Client) SaveChat(ctx context.Context, id string, chat Chat) error {
	return c.call(ctx, http.MethodPost, "/api/v1/chats/"+id, object{"chat": chat.content()}, nil)
}

// content is the JSON of a chat with one message.
func (c Chat) content() object {
	id := uuid.NewString()
	files := attachments(c.Files)
	for _, name := range c.Collections {
		files = append(files, object{"type": "text", "name": "pasted", "collection_name": name, "status": "processed"})
	}
	message := object{"id": id, "parentId": nil, "childrenIds": []string{}, "role": "user",
		"content": "What do these say?", "files": files, "timestamp": 1}
	history := object{"currentId": id, "messages": object{id: message}}
	return object{"title": c.Title, "models": []string{Model}, "history": history}
}

// Ask sends a message with files to a new chat and waits for the model's answer. Such files have
// rows in chat_file as well.
func (c *Client) Ask(ctx context.Context, chat Chat) (chatID string, err error) {
	chatID, err = c.create(ctx, "/api/v1/chats/new", object{"chat": object{"title": chat.Title, "models": []string{Model},
		"history": object{"currentId": nil, "messages": object{}}}})
	if err != nil {
		return "", err
	}
	files := attachments(chat.Files)
	question := object{"role": "user", "content": "What do these say?"}
	form := object{"model": Model, "stream": false, "chat_id": chatID, "id": uuid.NewString(), "parent_id": nil,
		"messages": []object{question}, "files": files,
		"user_message": object{"id": uuid.NewString(), "parentId": nil, "role": "user",
			"content": question["content"], "files": files}}
	if err := c.call(ctx, http.MethodPost, "/api/chat/completions", form, nil); err != nil {
		return "", fmt.Errorf("ask in chat %s: %w", chatID, err)
	}
	return chatID, nil
}

// GetChat reads the JSON of a chat.
func (c *Client) GetChat(ctx context.Context, id string) (json.RawMessage, error) {
	var chat struct{ Chat json.RawMessage }
	err := c.call(ctx, http.MethodGet, "/api/v1/chats/"+id, nil, &chat)
	return chat.Chat, err
}

// CloneChat copies a chat: the copy mentions the same files.
func (c *Client) CloneChat(ctx context.Context, id string) (cloneID string, err error) {
	return c.create(ctx, "/api/v1/chats/"+id+"/clone", object{"title": "A copy"})
}

// DeleteChat deletes a chat; its files stay.
func (c *Client) DeleteChat(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/chats/"+id)
}
