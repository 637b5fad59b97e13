package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/vectors"
	"pruned/vectors/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "s3cr3t"

func newClient(t *testing.T, answer http.HandlerFunc) *rest.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL + "/below")
	require.NoError(t, err)
	client := rest.NewClient(rest.Options{Server: "Test", URL: address, Header: http.Header{"X-Key": {secret}}, Secrets: []string{secret, ""}, Rights: "it wants more"})
	t.Cleanup(client.Close)
	return client
}

// What is asked is what was said, and what is answered is read.
func TestCall(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		if r.Method == http.MethodPost {
			_ = json.NewDecoder(r.Body).Decode(&in) // then nothing is said
		}
		fmt.Fprintf(w, `{"said":%q}`, strings.Join([]string{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("X-Key"), in["a"]}, " "))
	})
	var out struct{ Said string }
	require.NoError(t, client.Call(t.Context(), "ask", http.MethodPost, "a/b?c=d", map[string]string{"a": "b"}, &out))
	require.Equal(t, "POST /below/a/b c=d s3cr3t b", out.Said)
	require.NoError(t, client.Call(t.Context(), "ask", http.MethodPost, "a", `{"a":"text"}`, &out))
	require.Equal(t, "POST /below/a  s3cr3t text", out.Said)
	require.NoError(t, client.Call(t.Context(), "ask", http.MethodGet, "a", nil, rest.Pieces(func(d *json.Decoder) error { return d.Decode(&out) })))
	require.Equal(t, "GET /below/a  s3cr3t ", out.Said)
	require.NoError(t, client.Call(t.Context(), "ask", http.MethodGet, "a", nil, nil))
}

// A server that has too much to do for a moment is asked again, as it says.
func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	asked := 0
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		switch asked++; asked {
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, `{}`)
		}
	})
	require.NoError(t, client.Call(t.Context(), "ask", http.MethodGet, "a", nil, nil))
	require.Equal(t, 3, asked)
}

// Whatever goes wrong is the store's own failure, which tells no secret and has an end.
func TestFailures(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]http.HandlerFunc{
		"403 Forbidden: no, *****: it wants more": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no, "+secret, http.StatusForbidden) },
		"503 Service Unavailable":                 func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"302 Found":                               func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) },
		"500 Internal Server Error: {": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, strings.Repeat("{", 9999), http.StatusInternalServerError)
		},
		"read the answer": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"a":`) },
		"EOF":             func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		client := newClient(t, answer)
		err := client.Call(t.Context(), "ask it", http.MethodGet, "a", nil, &struct{}{})
		require.ErrorIs(t, err, vectors.ErrUnusable)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "ask it, at the Test server")
		require.NotContains(t, err.Error(), secret)
		require.Less(t, len(err.Error()), 500)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := newClient(t, func(http.ResponseWriter, *http.Request) {})
	require.ErrorIs(t, client.Call(ctx, "ask", http.MethodGet, "a", nil, nil), context.Canceled)
}
