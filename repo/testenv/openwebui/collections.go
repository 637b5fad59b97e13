package openwebui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Collections that hold nothing of a file: memories, pasted texts, web searches.

// Remember adds a memory of the user's, and embeds it.
func (c *Client) Remember(ctx context.Context, content string) (memoryID string, err error) {
	return c.create(ctx, "/api/v1/memories/add", object{"content": content})
}

// MemoryCollection is the collection with a user's memories; its points have their ids.
func MemoryCollection(userID string) string { return "user-memory-" + userID }

// ForgetMemory deletes a memory, and its point.
func (c *Client) ForgetMemory(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/memories/"+id)
}

// Recall asks the user's memories for what is nearest to the query.
func (c *Client) Recall(ctx context.Context, query string) ([]string, error) {
	var found struct{ Documents [][]string }
	if err := c.call(ctx, http.MethodPost, "/api/v1/memories/query", object{"content": query, "k": enough}, &found); err != nil || len(found.Documents) == 0 {
		return nil, err
	}
	return found.Documents[0], nil
}

// Paste embeds a text. Without a name its collection is called by the text's digest, as
// the front end has it for long pasted texts; a search of the web gives a name.
func (c *Client) Paste(ctx context.Context, content, collection string) (name string, err error) {
	form := object{"name": "pasted", "content": content}
	if collection != "" {
		form["collection_name"] = collection
	}
	var made struct {
		Name string `json:"collection_name"`
	}
	err = c.call(ctx, http.MethodPost, "/api/v1/retrieval/process/text", form, &made)
	return made.Name, err
}

// Collection is one that holds nothing of a file.
type Collection struct {
	Name  string
	Place string // where it was put, to tell by when it is missing
	lead  string // what it answers with, of what Verify can ask for
}

// fillCollections makes collections, and mentions them in chats of which Forget deletes
// some. The guest's memories are left behind with the guest.
func (s *Scenario) fillCollections(ctx context.Context) error {
	for i, kind := range []string{"", "web-search-" + s.guest.ID + "-"} {
		for _, kept := range []bool{true, false} {
			lead := fmt.Sprintf("Pasted%dx%t tells of the causeway", i, kept)
			name := kind
			if kind != "" {
				name += fmt.Sprintf("c0ffee%t", kept)
			}
			name, err := s.admin.Paste(ctx, lead+".\n", name)
			if err != nil {
				return fmt.Errorf("paste a text: %w", err)
			}
			if err := s.attach(ctx, Collection{Name: name, lead: lead}, kept); err != nil {
				return err
			}
		}
	}
	for owner, client := range map[string]*Client{"": s.admin, s.guest.ID: s.guest.Client} {
		if _, err := client.Remember(ctx, "The lighthouse stands on the causeway"); err != nil {
			return fmt.Errorf("add a memory: %w", err)
		}
		if owner != "" {
			s.World.UnusedCollections = append(s.World.UnusedCollections, Collection{Name: MemoryCollection(owner), Place: "a deleted user"})
		}
	}
	return nil
}

// attach attaches a collection to a chat, which Forget deletes unless it is kept.
func (s *Scenario) attach(ctx context.Context, c Collection, kept bool) error {
	id, err := s.admin.NewChat(ctx, Chat{Title: "With a collection", Collections: []string{c.Name}})
	if err != nil {
		return err
	}
	if kept {
		c.Place = "a chat"
		s.World.UsedCollections = append(s.World.UsedCollections, c)
		return nil
	}
	c.Place = "a deleted chat"
	s.World.UnusedCollections = append(s.World.UnusedCollections, c)
	s.forget = append(s.forget, step{c.Place, func(ctx context.Context) error { return s.admin.DeleteChat(ctx, id) }})
	return nil
}

// verifyCollections asks for what the collections in use hold, and for the administrator's
// memories.
func verifyCollections(ctx context.Context, app *App, world World) error {
	var missing []error
	for _, c := range world.UsedCollections {
		texts, err := app.QueryCollection(ctx, c.Name, c.lead, enough)
		if err == nil && !strings.Contains(strings.Join(texts, "\n"), c.lead) {
			err = errors.New("it does not answer with its text")
		}
		if err != nil {
			missing = append(missing, fmt.Errorf("collection %s of %s: %w", c.Name, c.Place, err))
		}
	}
	if len(world.UsedCollections) == 0 {
		return errors.Join(missing...)
	}
	texts, err := app.Recall(ctx, "the lighthouse")
	if err == nil && len(texts) == 0 {
		err = errors.New("the memories of the administrator do not answer")
	}
	return errors.Join(append(missing, err)...)
}
