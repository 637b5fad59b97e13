package openwebui

import (
	"context"
	"net/http"
)

// CreateNote makes a note with files.
func (c *Client) CreateNote(ctx context.Context, title string, fileIDs ...string) (noteID string, err error) {
	data := object{"content": object{"md": "See the files."}, "files": attachments(fileIDs)}
	return c.create(ctx, "/api/v1/notes/create", object{"title": title, "data": data})
}

// DeleteNote deletes a note; its files stay.
func (c *Client) DeleteNote(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/notes/"+id+"/delete")
}

// CreateFolder makes a folder whose chats all see the files.
func (c *Client) CreateFolder(ctx context.Context, name string, fileIDs ...string) (folderID string, err error) {
	return c.create(ctx, "/api/v1/folders/", object{"name": name, "data": object{"files": attachments(fileIDs)}})
}

// DeleteFolder deletes a folder with its chats; their files stay.
func (c *Client) DeleteFolder(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/folders/"+id+"?delete_contents=true")
}

// CreateModel makes a model of the workspace that knows the files.
func (c *Client) CreateModel(ctx context.Context, id string, fileIDs ...string) error {
	meta := object{"knowledge": attachments(fileIDs)}
	_, err := c.create(ctx, "/api/v1/models/create",
		object{"id": id, "name": id, "base_model_id": Model, "meta": meta, "params": object{}})
	return err
}

// DeleteModel deletes a model of the workspace with its history; its files stay.
func (c *Client) DeleteModel(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/api/v1/models/model/delete", object{"id": id}, nil)
}

// RegisterWebhook has every event of Open WebUI posted to url. Only an administrator may.
func (c *Client) RegisterWebhook(ctx context.Context, url string) (webhookID string, err error) {
	return c.create(ctx, "/api/events/webhooks",
		object{"name": "a test", "url": url, "enabled": true, "events": []string{"*"}})
}

// DeleteWebhook has no more events posted there.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/api/events/webhooks/"+id, nil, nil)
}
