package testenv

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
)

// qdrantEdge is Qdrant's engine for one shard: no server of it is in any package.
const qdrantEdge = "qdrant-edge-py==0.9.0"

// qdrantProgram is a server around it.
//
//go:embed qdrant.py
var qdrantProgram string

// Keys of a guarded Qdrant, and what each may.
const (
	QdrantKey       = "the-servers-own-key"
	QdrantReader    = "a-token-that-may-read"
	QdrantReaderOf  = "a-token-for-one-collection"
	QdrantReadables = "open-webui_files" // that collection
)

// QdrantOptions are the choices for a server of one's own.
type QdrantOptions struct {
	// Guarded has it ask who its clients are.
	Guarded bool
}

// Qdrant takes the part of a server of vectors. Its filters are answered by Qdrant's engine.
type Qdrant struct {
	daemon
	data string // in memory, where there is enough: each collection is many files
}

// URL is the address of the server.
func (q *Qdrant) URL() string { return "http://" + q.address() }

var sharedQdrant common[*Qdrant]

// SharedQdrant is the one that all tests of this process have in common. Main stops it.
func SharedQdrant(t testing.TB) *Qdrant {
	t.Helper()
	return sharedQdrant.get(t, func(ctx context.Context) (*Qdrant, error) { return RunQdrant(ctx, QdrantOptions{}) })
}

// StartQdrant starts one of one's own, which stops with the test.
func StartQdrant(t testing.TB, options QdrantOptions) *Qdrant {
	t.Helper()
	q, err := RunQdrant(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.End(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// RunQdrant is StartQdrant for programs, which End it.
func RunQdrant(ctx context.Context, options QdrantOptions) (*Qdrant, error) {
	python, err := python(ctx)
	if err != nil {
		return nil, err
	}
	install, err := Cached(ctx, "qdrant-edge-"+digest([]byte(qdrantEdge)), func(ctx context.Context, dir string) error {
		return pip(ctx, python, "--no-deps", "--target", dir, qdrantEdge)
	})
	if err != nil {
		return nil, fmt.Errorf("install Qdrant's engine: %w", err)
	}
	keys := map[string]string{}
	if options.Guarded {
		keys = map[string]string{QdrantKey: "m", QdrantReader: "r", QdrantReaderOf: QdrantReadables}
	}
	said, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	q := &Qdrant{}
	if dir, ok := InMemory(); ok {
		q.data = dir
	} else if q.data, err = os.MkdirTemp("", "pruned-qdrant-"); err != nil {
		return nil, err
	}
	q.daemon = daemon{name: "qdrant", program: python, env: []string{"PYTHONPATH=" + install}, args: func(d *daemon) []string {
		return []string{"-c", qdrantProgram, fmt.Sprint(d.ports[0]), q.data, string(said)}
	}}
	q.ready = q.askReady
	if err := q.begin(ctx, 1); err != nil {
		return nil, errors.Join(err, os.RemoveAll(q.data))
	}
	return q, nil
}

func (q *Qdrant) askReady(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.URL(), nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// End stops the server and removes what it kept.
func (q *Qdrant) End() error { return errors.Join(q.daemon.End(), os.RemoveAll(q.data)) }
