package chroma

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
)

const (
	// largestAnswer bounds what is read of one answer: a page of a thousand
	// chunks' metadata is rarely more than one MB.
	largestAnswer = 64 << 20
	// longestComplaint bounds what an error quotes of the server's.
	longestComplaint = 300
)

// callAPI sends one request about path, and decodes the answer to it into out. It
// is false without an error where the server has no such thing.
func (s *Server) callAPI(ctx context.Context, patience time.Duration, method, path string, in, out any) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer in %s", patience))
	defer cancel()
	response, err := s.sendRequest(ctx, method, path, in)
	if err != nil {
		return false, s.describeFailure(ctx, method, path, err)
	}
	defer response.Body.Close()
	switch body := http.MaxBytesReader(nil, response.Body, largestAnswer); {
	case response.StatusCode == http.StatusNotFound && isNotFoundError(body):
		return false, nil
	case response.StatusCode < 200 || response.StatusCode > 299:
		return false, s.describeFailure(ctx, method, path, readComplaint(response.Status, body))
	case out == nil:
		_, err = io.Copy(io.Discard, body) // so that the connection can be used again
	default:
		err = json.NewDecoder(body).Decode(out)
	}
	if err != nil {
		return false, s.describeFailure(ctx, method, path, fmt.Errorf("read the answer: %w", err))
	}
	return true, nil
}

func (s *Server) sendRequest(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	path, query, _ := strings.Cut(path, "?")
	address := s.base.JoinPath(path)
	address.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return nil, err
	}
	request.Header = s.headers.Clone()
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if s.user != nil {
		password, _ := s.user.Password()
		request.SetBasicAuth(s.user.Username(), password)
	}
	return s.client.Do(request)
}

// answer is Chroma's way to say no.
type answer struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// isNotFoundError tells Chroma's own 404 from that of another server, or of a proxy
// that knows no such path.
func isNotFoundError(body io.Reader) bool {
	var a answer
	return json.NewDecoder(body).Decode(&a) == nil && a.Error == "NotFoundError"
}

func readComplaint(status string, body io.Reader) error {
	text, _ := io.ReadAll(io.LimitReader(body, 64<<10)) // the status says enough without it
	var a answer
	if json.Unmarshal(text, &a) != nil || a.Message == "" {
		return errors.New(status)
	}
	if len(a.Message) > longestComplaint {
		a.Message = strings.ToValidUTF8(a.Message[:longestComplaint], "") + "..."
	}
	return fmt.Errorf("%s: %s", status, a.Message)
}

// describeFailure marks every failure as the store's own. It leaves out the address,
// and hides what a server or a proxy may have quoted of our secrets.
func (s *Server) describeFailure(ctx context.Context, method, path string, err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	text := err.Error()
	for _, secret := range s.secrets {
		if secret != "" && strings.Contains(text, secret) {
			err = errors.New(strings.ReplaceAll(text, secret, "*****"))
			text = err.Error()
		}
	}
	path, _, _ = strings.Cut(path, "?")
	return unusable("%s %s of the Chroma server at %s: %w", method, path, s.base.Host, err)
}
