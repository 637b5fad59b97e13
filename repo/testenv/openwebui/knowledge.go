package openwebui

import (
	"context"
	"fmt"
	"net/http"
)

// FileCollection names the vector collection of one file. That of a knowledge base is its id.
func FileCollection(fileID string) string { return "file-" + fileID }

// CreateKnowledge makes an empty knowledge base.
func (c *Client) CreateKnowledge(ctx context.Context, name string) (knowledgeID string, err error) {
	return c.create(ctx, "/api/v1/knowledge/create", object{"name": name, "description": "Made by a test."})
}

// CreateDirectory makes a directory in a knowledge base.
func (c *Client) CreateDirectory(ctx context.Context, knowledgeID, name string) (directoryID string, err error) {
	return c.create(ctx, "/api/v1/knowledge/"+knowledgeID+"/dirs/create", object{"name": name})
}

// Reindex makes the collections of all knowledge bases anew, and those of their files.
func (c *Client) Reindex(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/api/v1/knowledge/reindex", nil, nil)
}

// AddToKnowledge embeds a processed file into a knowledge base. Open WebUI refuses a text that is
// there already.
func (c *Client) AddToKnowledge(ctx context.Context, knowledgeID, fileID string) error {
	path := fmt.Sprintf("/api/v1/knowledge/%s/file/add", knowledgeID)
	return c.call(ctx, http.MethodPost, path, object{"file_id": fileID}, nil)
}

// RemoveFromKnowledge takes a file out of a knowledge base; with deleteFile Open WebUI deletes the
// file itself, whoever else uses it.
func (c *Client) RemoveFromKnowledge(ctx context.Context, knowledgeID, fileID string, deleteFile bool) error {
	path := fmt.Sprintf("/api/v1/knowledge/%s/file/remove?delete_file=%t", knowledgeID, deleteFile)
	return c.call(ctx, http.MethodPost, path, object{"file_id": fileID}, nil)
}

// MoveFile moves a file from one knowledge base to another, as the front end lets a person do it:
// between the two steps no knowledge base holds it. (Open WebUI's own move is between the directories
// of one knowledge base.)
func (c *Client) MoveFile(ctx context.Context, fileID, fromID, toID string) error {
	if err := c.RemoveFromKnowledge(ctx, fromID, fileID, false); err != nil {
		return err
	}
	return c.AddToKnowledge(ctx, toID, fileID)
}

// DeleteKnowledge deletes a knowledge base and its collection; its files stay.
func (c *Client) DeleteKnowledge(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/knowledge/"+id+"/delete")
}

// QueryCollection returns the k texts of a collection that are nearest to the query, the nearest
// first; none if there is no such collection.
func (c *Client) QueryCollection(ctx context.Context, collection, query string, k int) ([]string, error) {
	form := object{"collection_names": []string{collection}, "query": query, "k": k}
	var found struct{ Documents [][]string }
	if err := c.call(ctx, http.MethodPost, "/api/v1/retrieval/query/collection", form, &found); err != nil {
		return nil, err
	}
	if len(found.Documents) == 0 {
		return nil, nil
	}
	return found.Documents[0], nil
}
