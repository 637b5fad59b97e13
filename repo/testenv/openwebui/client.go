package openwebui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Client speaks to a running Open WebUI as one of its users.
type Client struct {
	server *server
	token  string
}

// server is what all clients of one application share; a restart moves it to another port.
type server struct {
	url  string
	http *http.Client
}

// URL is where the application answers until it is restarted.
func (c *Client) URL() string { return c.server.url }

// Token is what this user's requests carry.
func (c *Client) Token() string { return c.token }

// StatusError is an answer other than 2xx.
type StatusError struct {
	Method, Path string
	Status       int
	Body         string
}

// Error says which request was answered with which status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %s", e.Method, e.Path, e.Status, e.Body)
}

// call sends in as JSON (nothing if nil) and decodes the answer into out (unless nil).
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	return c.server.call(ctx, c.token, method, path, in, out)
}

func (s *server) call(ctx context.Context, token, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode the body of %s %s: %w", method, path, err)
		}
	}
	answer, err := s.send(ctx, token, method, path, "application/json", bytes.NewReader(body))
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// send returns the body of a 2xx answer, and a *StatusError for any other.
func (s *server) send(ctx context.Context, token, method, path, contentType string, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return nil, fmt.Errorf("make the request %s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", contentType)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask Open WebUI: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, &StatusError{Method: method, Path: path, Status: response.StatusCode, Body: tail(answer)}
	}
	return answer, nil
}

// create posts in and returns the id of what was made.
func (c *Client) create(ctx context.Context, path string, in any) (id string, err error) {
	var made struct{ ID string }
	if err := c.call(ctx, http.MethodPost, path, in, &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", fmt.Errorf("POST %s: the answer names no id", path)
	}
	return made.ID, nil
}

// drop deletes what path names. Open WebUI answers 200 with false, too, when it did not.
func (c *Client) drop(ctx context.Context, path string) error {
	var dropped bool
	if err := c.call(ctx, http.MethodDelete, path, nil, &dropped); err != nil {
		return err
	}
	if !dropped {
		return fmt.Errorf("DELETE %s: Open WebUI says that it deleted nothing", path)
	}
	return nil
}
