// Package rest speaks to a vector store that takes JSON over HTTP.
//
// Its central idea is that no answer is a reason to believe that something is gone: every
// failure, whatever a server or a proxy before it meant, is of the store itself. A server
// that has too much to do is asked again, and no error quotes a secret. The package knows no
// store.
package rest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"pruned/vectors"
)

const (
	// requestPatience bounds a request and its answer.
	requestPatience = 5 * time.Minute
	// A server that has too much to do is asked again so often, after pauses of which each
	// is twice the one before, or as long as the server says.
	triesOfBusy, firstPause, longestPause = 5, 250 * time.Millisecond, 30 * time.Second
	// largestAnswer bounds what is read of one answer that is not read piece by piece.
	largestAnswer = 64 << 20
	// longestComplaint bounds what an error quotes of the server's.
	longestComplaint = 300
)

// Options say which server is asked, and how.
type Options struct {
	Server  string   // what errors call it
	URL     *url.URL // scheme and host; a path before all others
	Header  http.Header
	Secrets []string // that no error may quote
	Rights  string   // that a server wants which refuses; a sentence's end
	TLS     *tls.Config
}

// Client sends requests to one server.
type Client struct {
	options Options
	http    *http.Client
}

// NewClient sends nothing.
func NewClient(options Options) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = 16, 16, 30*time.Second
	if options.TLS != nil {
		transport.TLSClientConfig = options.TLS
	}
	return &Client{options: options, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Unusable is an error of the store itself, whichever files were asked for.
func (c *Client) Unusable(format string, args ...any) error {
	return fmt.Errorf("%w: the %s server at %s %w", vectors.ErrUnusable, c.options.Server, c.options.URL.Host, fmt.Errorf(format, args...))
}

// RefusalError is an answer that says no.
type RefusalError struct {
	Status int
	Body   []byte // as far as it was read
	text   string
	pause  time.Duration // until it may be asked again
}

// Error is the status, and what the server said.
func (r *RefusalError) Error() string { return r.text }

// Pieces reads an answer that may be larger than what is kept in memory.
type Pieces func(*json.Decoder) error

// Call sends one request about a path, which may have a query, and decodes the answer into
// out, if that is not nil; doing says what for.
func (c *Client) Call(ctx context.Context, doing, method, path string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	for n, pause := 1, firstPause; ; n, pause = n+1, 2*pause {
		var refusal *RefusalError
		err = c.callOnce(ctx, method, path, body, out)
		if !errors.As(err, &refusal) || !refusal.isBusy() || n == triesOfBusy {
			break
		}
		if ended := vectors.Wait(ctx, min(max(pause, refusal.pause), longestPause)); ended != nil {
			err = ended
			break
		}
	}
	if err != nil {
		return c.describeFailure(doing, err)
	}
	return nil
}

// encode is JSON, or the text itself where it is one already.
func encode(in any) (string, error) {
	if text, is := in.(string); is || in == nil {
		return text, nil
	}
	text, err := json.Marshal(in)
	return string(text), err
}

func (c *Client) callOnce(ctx context.Context, method, path, body string, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, requestPatience, fmt.Errorf("no answer in %s", requestPatience))
	defer cancel()
	response, err := c.send(ctx, method, path, body)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return readRefusal(response)
	}
	if err := read(response.Body, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path, body string) (*http.Response, error) {
	path, query, _ := strings.Cut(path, "?")
	address := c.options.URL.JoinPath(path)
	address.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, address.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.options.Header != nil {
		request.Header = c.options.Header.Clone()
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err // without the address, which may hold a password
	}
	return response, err
}

func read(body io.Reader, out any) error {
	if pieces, is := out.(Pieces); is {
		return pieces(json.NewDecoder(body))
	}
	body = http.MaxBytesReader(nil, io.NopCloser(body), largestAnswer)
	if out == nil {
		_, err := io.Copy(io.Discard, body) // so that the connection can be used again
		return err
	}
	return json.NewDecoder(body).Decode(out)
}

func readRefusal(response *http.Response) *RefusalError {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // the status says enough without it
	said := strings.Join(strings.Fields(string(body)), " ")
	r := &RefusalError{Status: response.StatusCode, Body: body, text: response.Status}
	if said != "" {
		r.text += ": " + said
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.pause = min(time.Duration(min(seconds, 3600))*time.Second, longestPause)
	}
	return r
}

func (r *RefusalError) isBusy() bool {
	return r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable && r.pause > 0
}

// describeFailure marks every failure as the store's own, and hides what a server or a proxy
// may have quoted of our secrets.
func (c *Client) describeFailure(doing string, err error) error {
	text := err.Error()
	for _, secret := range c.options.Secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "*****")
		}
	}
	if len(text) > longestComplaint {
		text = strings.ToValidUTF8(text[:longestComplaint], "") + "..."
	}
	var refusal *RefusalError
	if errors.As(err, &refusal) && (refusal.Status == http.StatusUnauthorized || refusal.Status == http.StatusForbidden) {
		text += ": " + c.options.Rights
	}
	return fmt.Errorf("%w: %s, at the %s server %s: %w", vectors.ErrUnusable, doing, c.options.Server, c.options.URL.Host, &failure{text, err})
}

// failure is an error whose words are fit to be told.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }
