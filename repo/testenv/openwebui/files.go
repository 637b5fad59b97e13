package openwebui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
)

// FileInfo is what Open WebUI tells about a file.
type FileInfo struct {
	ID        string
	UserID    string `json:"user_id"`
	Filename  string
	Path      string
	Hash      string
	CreatedAt int64 `json:"created_at"` // epoch seconds
	Data      struct{ Status, Error, Content string }
}

// Upload uploads a text file. With process it is split and embedded into the collection
// FileCollection(id) before the call returns.
func (c *Client) Upload(ctx context.Context, name, content string, process bool) (fileID string, err error) {
	return c.upload(ctx, name, content, process, nil)
}

// UploadToChannel uploads a text file into a channel, unprocessed.
func (c *Client) UploadToChannel(ctx context.Context, channelID, name, content string) (fileID string, err error) {
	return c.upload(ctx, name, content, false, map[string]string{"metadata": `{"channel_id": "` + channelID + `"}`})
}

func (c *Client) upload(ctx context.Context, name, content string, process bool, fields map[string]string) (fileID string, err error) {
	body, contentType, err := form(name, "text/plain", content, fields)
	if err != nil {
		return "", fmt.Errorf("make the upload of %s: %w", name, err)
	}
	path := fmt.Sprintf("/api/v1/files/?process=%t&process_in_background=false", process)
	answer, err := c.server.send(ctx, c.token, http.MethodPost, path, contentType, body)
	if err != nil {
		return "", err
	}
	var file FileInfo
	if err := json.Unmarshal(answer, &file); err != nil {
		return "", fmt.Errorf("decode the answer to the upload of %s: %w", name, err)
	}
	return file.ID, nil
}

// form is a file with further fields, as browsers send them.
func form(name, mediaType, content string, fields map[string]string) (body *bytes.Buffer, contentType string, err error) {
	body = new(bytes.Buffer)
	writer := multipart.NewWriter(body)
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition("file", name))
	header.Set("Content-Type", mediaType)
	part, err := writer.CreatePart(header)
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write([]byte(content)); err != nil {
		return nil, "", err
	}
	for field, value := range fields {
		if err := writer.WriteField(field, value); err != nil {
			return nil, "", err
		}
	}
	return body, writer.FormDataContentType(), writer.Close()
}

// GetFile reads the row of a file.
func (c *Client) GetFile(ctx context.Context, id string) (FileInfo, error) {
	var file FileInfo
	err := c.call(ctx, http.MethodGet, "/api/v1/files/"+id, nil, &file)
	return file, err
}

// FileContent reads the stored bytes of a file.
func (c *Client) FileContent(ctx context.Context, id string) ([]byte, error) {
	return c.server.send(ctx, c.token, http.MethodGet, "/api/v1/files/"+id+"/content", "", http.NoBody)
}

// DeleteFile deletes a file as its owner would. On Chroma its vectors stay behind.
func (c *Client) DeleteFile(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/api/v1/files/"+id, nil, nil)
}

// attachments are files as the front end lists them in a chat, a note or a folder: with the bare id
// as URL.
func attachments(fileIDs []string) []object {
	list := make([]object, len(fileIDs))
	for i, id := range fileIDs {
		list[i] = object{"type": "file", "id": id, "url": id, "name": id + ".txt", "status": "uploaded"}
	}
	return list
}
