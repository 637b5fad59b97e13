package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

const (
	maxBody = 1 << 20 // bytes
	// atOnce requests are read and stored at the same time, which bounds the
	// memory; others wait.
	atOnce = 64
	// complaints of one kind are logged so often at most.
	complaints = 10 * time.Second
)

// Options say whom to believe and where to put what they say.
type Options struct {
	Token string
	Queue Queue
	Log   zerolog.Logger
}

// Handler answers POST /webhook/{token} and POST /webhook?token=.
type Handler struct {
	token     secret
	queue     Queue
	log       zerolog.Logger
	limits    *limits
	slots     chan struct{}
	strangers rate.Sometimes // of whom the log tells
	refusals  rate.Sometimes
}

// New returns a handler. Without a token there is nobody to believe.
func New(o Options) (*Handler, error) {
	if o.Token == "" {
		return nil, errors.New("receiving Open WebUI's events: there is no token")
	}
	return &Handler{
		token: secretOf(o.Token), queue: o.Queue, log: o.Log,
		limits: newLimits(), slots: make(chan struct{}, atOnce),
		strangers: rate.Sometimes{First: 1, Interval: complaints},
		refusals:  rate.Sometimes{First: 1, Interval: complaints},
	}, nil
}

// ServeHTTP answers 202 once the queue has stored what a notification asks for.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.token.is(tokenOf(r)) {
		h.refuseStranger(w, r)
		return
	}
	if err := h.receive(w, r); err != nil {
		h.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// receive returns nil once the queue holds the request's event.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, errors.New("events are posted")}
	}
	if !isJSON(r.Header) {
		return &refusal{http.StatusUnsupportedMediaType, errors.New("wanted application/json")}
	}
	if err := h.enter(r.Context()); err != nil {
		return err
	}
	defer h.leave()
	body, err := read(w, r)
	if err != nil {
		return err
	}
	e, err := parse(body)
	if err != nil {
		return &refusal{http.StatusBadRequest, err}
	}
	if err := h.store(r.Context(), e); err != nil {
		return fmt.Errorf("storing event %q (%q): %w", e.id, e.name, err)
	}
	return nil
}

// enter waits until there is memory for another body.
func (h *Handler) enter(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for %d other requests: %w", atOnce, ctx.Err())
	}
}

func (h *Handler) leave() { <-h.slots }

func isJSON(header http.Header) bool {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	encoding := header.Get("Content-Encoding")
	return err == nil && media == "application/json" && (encoding == "" || strings.EqualFold(encoding, "identity"))
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := &refusal{http.StatusRequestEntityTooLarge, fmt.Errorf("wanted at most %d bytes", maxBody)}
	if r.ContentLength > maxBody {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return nil, tooLarge
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, errors.New("the body ends early")}
	}
	return body, nil
}
