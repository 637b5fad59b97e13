package testenv

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// weaviateVersion is the newest that the Go module proxy has. There is no program of it to be
// had: it is built, which takes minutes, once.
const weaviateVersion = "1.35.2"

// What a guarded Weaviate knows: the key of its administrator, and a user without rights.
const (
	WeaviateKey     = "the-administrators-key"
	WeaviateUser    = "pruned"
	WeaviateUserKey = "the-key-of-pruned"
)

// WeaviateOptions are the choices for a server of one's own.
type WeaviateOptions struct {
	// Guarded has it ask who its clients are, and what they may.
	Guarded bool
	// MaxResults bounds its answers; 10,000 if 0.
	MaxResults int
}

// Weaviate is a server of vectors.
type Weaviate struct {
	daemon
	key string // that it wants to see; none if empty
}

// Port is that of the server, on 127.0.0.1.
func (w *Weaviate) Port() int { return w.ports[0] }

// StartWeaviate starts a server of one's own, which stops with the test.
func StartWeaviate(t testing.TB, options WeaviateOptions) *Weaviate {
	t.Helper()
	w, err := RunWeaviate(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.End(); err != nil {
			t.Error(err)
		}
	})
	return w
}

var weaviatePool = newPool(func(ctx context.Context) (*Weaviate, error) { return RunWeaviate(ctx, WeaviateOptions{}) })

// BorrowWeaviate is a server that no other test uses meanwhile; give hands it back, empty.
// Main stops it.
func BorrowWeaviate(t testing.TB) (w *Weaviate, give func()) {
	t.Helper()
	return weaviatePool.borrow(t)
}

// RunWeaviate is StartWeaviate for programs, which End it.
func RunWeaviate(ctx context.Context, options WeaviateOptions) (*Weaviate, error) {
	install, err := buildModule(ctx, "weaviate-"+weaviateVersion, "github.com/weaviate/weaviate/cmd/weaviate-server@v"+weaviateVersion)
	if err != nil {
		return nil, fmt.Errorf("build Weaviate: %w", err)
	}
	w := &Weaviate{daemon: daemon{name: "weaviate", program: filepath.Join(install, "weaviate-server")}}
	if options.Guarded {
		w.key = WeaviateKey
	}
	w.args = func(d *daemon) []string {
		if len(d.ports) == weaviatePorts {
			row, err := takePortRow(4)
			if err != nil {
				return nil // the server then ends and says what it misses
			}
			d.ports = append(d.ports, row...)
		}
		d.env = weaviateSettings(d, options)
		return []string{"--host", "127.0.0.1", "--port", fmt.Sprint(w.Port()), "--scheme", "http"}
	}
	w.ready = w.makeClass
	return w, w.begin(ctx, weaviatePorts)
}

// weaviatePorts are those of the server that stand alone.
const weaviatePorts = 2

func weaviateSettings(d *daemon, options WeaviateOptions) []string {
	list := []string{
		"PERSISTENCE_DATA_PATH=" + filepath.Join(d.dir, "data"), "DEFAULT_VECTORIZER_MODULE=none", "CLUSTER_HOSTNAME=one", "CLUSTER_IN_LOCALHOST=true",
		"CLUSTER_ADVERTISE_ADDR=127.0.0.1", "RAFT_BOOTSTRAP_EXPECT=1", "RAFT_JOIN=one", "DISABLE_TELEMETRY=true", "GO_PROFILING_DISABLE=true",
		fmt.Sprintf("GRPC_PORT=%d", d.ports[1]),
		// No leader is found unless these are in a row.
		fmt.Sprintf("CLUSTER_GOSSIP_BIND_PORT=%d", d.ports[2]), fmt.Sprintf("CLUSTER_DATA_BIND_PORT=%d", d.ports[3]),
		fmt.Sprintf("RAFT_PORT=%d", d.ports[4]), fmt.Sprintf("RAFT_INTERNAL_RPC_PORT=%d", d.ports[5]),
	}
	if options.MaxResults > 0 {
		list = append(list, fmt.Sprintf("QUERY_MAXIMUM_RESULTS=%d", options.MaxResults))
	}
	if !options.Guarded {
		return append(list, "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED=true")
	}
	return append(list, "AUTHENTICATION_APIKEY_ENABLED=true", "AUTHENTICATION_APIKEY_ALLOWED_KEYS="+WeaviateKey+","+WeaviateUserKey,
		"AUTHENTICATION_APIKEY_USERS=root,"+WeaviateUser, "AUTHORIZATION_RBAC_ENABLED=true", "AUTHORIZATION_RBAC_ROOT_USERS=root")
}

// makeClass fails until a class can be made: the server says that it is ready before it has
// a leader.
func (w *Weaviate) makeClass(ctx context.Context) error {
	if err := w.ask(ctx, http.MethodPost, "schema", `{"class":"Ready"}`); err != nil && !strings.Contains(err.Error(), "already exists") {
		return err
	}
	return w.ask(ctx, http.MethodDelete, "schema/Ready", "")
}

func (w *Weaviate) ask(ctx context.Context, method, path, body string) error {
	request, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://%s/v1/%s", w.address(), path), strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if w.key != "" {
		request.Header.Set("Authorization", "Bearer "+w.key)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if response.StatusCode > 299 {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}
