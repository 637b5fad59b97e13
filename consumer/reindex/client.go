package reindex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"pruned/consumer/loop"
)

const (
	// requestTimeout is longer than the embedding of a long text takes.
	requestTimeout = 10 * time.Minute

	maxRetries             = 4
	firstPause, longestGap = time.Second, 10 * time.Second
)

// ErrNoText says that there is nothing to make vectors of, as of an image.
var ErrNoText = errors.New("it has no text")

// StatusError is an answer other than 200.
type StatusError struct{ Status int }

// Error says what the status means here. What the application says of it is not told: it
// may quote the text.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("Open WebUI answers %d %s", e.Status, http.StatusText(e.Status))
	switch {
	case e.Status == http.StatusUnauthorized:
		text += ": OPEN_WEBUI_TOKEN does not hold, or has expired"
	case e.Status == http.StatusForbidden:
		text += ": wanted an OPEN_WEBUI_TOKEN that may use /api/v1/files"
	case e.Status == http.StatusNotFound:
		text += ": there is no such file, or not for the user of OPEN_WEBUI_TOKEN (wanted an administrator's), or nothing of Open WebUI's at OPEN_WEBUI_URL"
	case e.Status/100 == 3:
		text += ": wanted the address that OPEN_WEBUI_URL leads to"
	case e.Status >= 500:
		text += ": its log tells why"
	}
	return text
}

// isPassing says whether the same request may succeed later. A gateway that waited too long
// says nothing of the application, which is still at it.
func (e *StatusError) isPassing() bool {
	return e.Status == http.StatusTooManyRequests || e.Status >= 500 && e.Status != http.StatusGatewayTimeout
}

// Client speaks to Open WebUI as the user of a token.
type Client struct {
	files  string // URL
	token  string
	http   *http.Client
	pauses func() backoff.BackOff // between tries
}

// New makes a client of the application at an address.
func New(address, token string) (*Client, error) {
	files, err := url.JoinPath(address, "api/v1/files")
	if err != nil {
		return nil, fmt.Errorf("make the address of Open WebUI's API: %w", err)
	}
	return &Client{
		files: files, token: token,
		http: &http.Client{
			Timeout: requestTimeout,
			// The token is for this address alone, and a POST must not become a GET.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		pauses: func() backoff.BackOff {
			return backoff.WithMaxRetries(loop.NewBackoff(firstPause, longestGap), maxRetries)
		},
	}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Reindex has the vectors of a file made again from its text. It returns when they are
// there; ErrNoText where the file has no text. What may pass is tried again.
func (c *Client) Reindex(ctx context.Context, id string) error {
	return backoff.Retry(func() error {
		err := c.reindexOnce(ctx, id)
		var answer *StatusError
		var asked *url.Error
		switch {
		case errors.As(err, &answer) && answer.isPassing():
			return err
		case errors.As(err, &asked) && !asked.Timeout(): // it is still at it, too
			return err
		case err != nil:
			return backoff.Permanent(err)
		}
		return nil
	}, backoff.WithContext(c.pauses(), ctx))
}

func (c *Client) reindexOnce(ctx context.Context, id string) error {
	var text struct {
		Content string `json:"content"`
	}
	path := "/" + url.PathEscape(id) + "/data/content"
	if err := c.call(ctx, http.MethodGet, path, nil, &text); err != nil {
		return fmt.Errorf("read the text of file %s: %w", id, err)
	}
	if strings.TrimSpace(text.Content) == "" {
		return ErrNoText
	}
	if err := c.call(ctx, http.MethodPost, path+"/update", text, nil); err != nil {
		return fmt.Errorf("index the text of file %s: %w", id, err)
	}
	return nil
}

// call sends in as JSON (nothing if nil), and decodes the answer into out (unless nil).
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.files+path, &body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask Open WebUI: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return &StatusError{response.StatusCode}
	}
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return errors.New("the answer is not Open WebUI's: wanted JSON with a content")
	}
	return nil
}
