package notify

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/config/secret"
	"pruned/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 30 * time.Second
	key      = "0123456789abcdef"
)

// received is a request that a receiver took.
type received struct {
	head http.Header
	body []byte
}

// receive serves a receiver that refuses the first times, and tells what it took.
func receive(t *testing.T, refuses int64) (url secret.Text, took chan received, asked *atomic.Int64) {
	t.Helper()
	took, asked = make(chan received, 100), new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if asked.Add(1) <= refuses || err != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		took <- received{r.Header, body}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	return secret.Text(server.URL + "/hooks/t0ken"), took, asked
}

func await[T any](t *testing.T, signal <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-signal:
	case <-time.After(patience):
		require.FailNow(t, "nothing comes")
	}
	return value
}

var hold = repo.Hold{ID: "a1b2c3d4", Direction: repo.FromRows, Store: "database", Reason: "a reason that names /a/folder", Found: 40, Total: 100}

// running runs a notifier of holds until the test ends.
func running(t *testing.T, n *Notifier, list func(context.Context) ([]repo.Hold, error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); n.RunHolds(ctx, list) }()
	t.Cleanup(func() { cancel(); await(t, ended) })
}

// What is told is a CloudEvent with the command that helps, signed by the secret, and holds
// neither the store nor the reason.
func TestHoldIsToldAsASignedCloudEvent(t *testing.T) {
	t.Parallel()
	url, took, _ := receive(t, 0)
	n := NewNotifier(Receiver{URL: url, Secret: key, Source: "/pruned/here"}, zerolog.Nop(), nil)
	running(t, n, func(context.Context) ([]repo.Hold, error) { return []repo.Hold{hold}, nil })
	request := await(t, took)
	require.Equal(t, "application/cloudevents+json; charset=utf-8", request.head.Get("Content-Type"))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(request.body)
	require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), request.head.Get(SignatureHeader))
	var event map[string]any
	require.NoError(t, json.Unmarshal(request.body, &event))
	at, err := time.Parse(time.RFC3339, event["time"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, patience)
	delete(event, "time")
	require.Equal(t, map[string]any{
		"specversion": "1.0", "id": "a1b2c3d4/row", "source": "/pruned/here", "type": "pruned.sweep.held", "datacontenttype": "application/json",
		"data": map[string]any{"id": "a1b2c3d4", "direction": "row", "found": 40.0, "total": 100.0, "command": "pruned sweep --confirm a1b2c3d4"},
	}, event)
}

// A receiver that refuses is asked again until it takes it; what it has taken it is not
// told again, and what is held anew it is.
func TestHoldIsToldUntilItIsTakenAndThenNoMore(t *testing.T) {
	t.Parallel()
	url, took, asked := receive(t, 2)
	var tries atomic.Int64
	n := NewNotifier(Receiver{URL: url}, zerolog.Nop(), func(error) { tries.Add(1) })
	listed := make(chan struct{}, 100)
	var both atomic.Bool
	running(t, n, func(context.Context) ([]repo.Hold, error) {
		listed <- struct{}{}
		if both.Load() {
			other := hold
			other.Direction = repo.FromBytes
			return []repo.Hold{hold, other}, nil
		}
		return []repo.Hold{hold}, nil
	})
	request := await(t, took)
	require.Empty(t, request.head.Get(SignatureHeader))
	require.Contains(t, string(request.body), `"a1b2c3d4/row"`)
	both.Store(true)
	n.Look()
	require.Contains(t, string(await(t, took).body), `"a1b2c3d4/bytes"`)
	for range 5 {
		n.Look()
	}
	for len(listed) > 0 {
		await(t, listed)
	}
	n.Look()
	await(t, listed)
	require.EqualValues(t, 4, asked.Load())
	require.EqualValues(t, 4, tries.Load())
}

// No error quotes the address, in whose path a token may be, nor what the receiver answers.
func TestErrorsQuoteNoAddress(t *testing.T) {
	t.Parallel()
	url, _, _ := receive(t, 1<<30)
	redirecting := httptest.NewServer(http.RedirectHandler(string(url), http.StatusTemporaryRedirect))
	t.Cleanup(redirecting.Close)
	for address, want := range map[secret.Text]string{
		url: "answers 503", secret.Text(redirecting.URL + "/t0ken"): "answers 307", "http://127.0.0.1:1/t0ken": "refused", "http://h\x00/t0ken": "PRUNED_NOTIFY_URL",
	} {
		err := NewNotifier(Receiver{URL: address}, zerolog.Nop(), nil).TellLetter(t.Context(), Letter{Name: "1.a"})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "t0ken")
	}
}

// What answers may be anything that listens there, and what it says is no business of a log.
func TestErrorsQuoteNoAnswer(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if asked, err := http.ReadRequest(bufio.NewReader(conn)); err == nil { // whole, or it is reset
			_, _ = io.Copy(io.Discard, asked.Body)
		}
		_, _ = io.WriteString(conn, "hunter2 is no answer\r\n\r\n")
	}()
	r := Receiver{URL: secret.Text("http://" + listener.Addr().String() + "/"), Source: "pruned/test"}
	err = r.post(t.Context(), Notice{ID: "n"})
	require.ErrorContains(t, err, "the receiver's answer is none of HTTP's")
	require.NotContains(t, err.Error(), "hunter2")
}

// A dead letter is told by its name and its kind.
func TestLetterIsTold(t *testing.T) {
	t.Parallel()
	url, took, _ := receive(t, 0)
	n := NewNotifier(Receiver{URL: url, Source: "s"}, zerolog.Nop(), nil)
	require.NoError(t, n.TellLetter(t.Context(), Letter{Name: "7.x", Kind: "poison", Subject: "f", SQLState: "P0001", Deliveries: 3, At: time.Unix(1, 0)}))
	require.JSONEq(t, `{"specversion":"1.0","id":"dead/7.x","source":"s","type":"pruned.event.dead","subject":"f","time":"1970-01-01T00:00:01Z",
		"datacontenttype":"application/json","data":{"name":"7.x","kind":"poison","sqlstate":"P0001","deliveries":3,"command":"pruned dead show 7.x"}}`, string(await(t, took).body))
}
