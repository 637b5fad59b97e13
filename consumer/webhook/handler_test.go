package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer"
)

const simple = `{"id":"1","event":"chat.deleted"}`

func TestRequests(t *testing.T) {
	t.Parallel()
	of := func(bytes int) string {
		return `{"id":"1","event":"x","data":"` + strings.Repeat("x", bytes-len(`{"id":"1","event":"x","data":""}`)) + `"}`
	}
	with := func(method, path, media, body string) *http.Request {
		r := post(path, body)
		r.Method = method
		r.Header.Del("Content-Type")
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		return r
	}
	zipped := post("/webhook/"+token, simple)
	zipped.Header.Set("Content-Encoding", "gzip")
	cut := post("/webhook/"+token, simple)
	cut.Body = io.NopCloser(io.MultiReader(strings.NewReader(simple), broken{}))
	unsaid := post("/webhook/"+token, of(maxBody+1))
	unsaid.ContentLength = -1

	for name, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"token in the path":         {post("/webhook/"+token, simple), 202},
		"token in the query":        {post("/webhook?token="+token, simple), 202},
		"token in the query, slash": {post("/webhook/?token="+token, simple), 202},
		"with a charset":            {with("POST", "/webhook/"+token, "application/json; charset=utf-8", simple), 202},
		"in capitals":               {with("POST", "/webhook/"+token, "Application/JSON", simple), 202},
		"as much as may be":         {post("/webhook/"+token, of(maxBody)), 202},

		"no token":             {post("/webhook", simple), 401},
		"no token, slash":      {post("/webhook/", simple), 401},
		"an empty token":       {post("/webhook?token=", simple), 401},
		"a wrong token":        {post("/webhook/wrong", simple), 401},
		"a longer token":       {post("/webhook/"+token+"x", simple), 401},
		"a shorter token":      {post("/webhook/"+token[:5], simple), 401},
		"a wrong token, query": {post("/webhook?token=wrong", simple), 401},
		"in other letters":     {post("/webhook/"+strings.ToUpper(token), simple), 401},
		"below the token":      {post("/webhook/"+token+"/x", simple), 401},
		"as a header":          {httptest.NewRequest(http.MethodGet, "/webhook", nil), 401},
		"wrong, and too large": {post("/webhook/wrong", of(2*maxBody)), 401},
		"wrong, and got":       {with("GET", "/webhook/wrong", "", ""), 401},

		"got":               {with("GET", "/webhook/"+token, "", ""), 405},
		"put":               {with("PUT", "/webhook/"+token, "application/json", simple), 405},
		"asked for options": {with("OPTIONS", "/webhook?token="+token, "", ""), 405},

		"too large":             {post("/webhook/"+token, of(maxBody+1)), 413},
		"too large, not saying": {unsaid, 413},

		"no media type":    {with("POST", "/webhook/"+token, "", simple), 415},
		"a form":           {with("POST", "/webhook/"+token, "application/x-www-form-urlencoded", simple), 415},
		"text":             {with("POST", "/webhook/"+token, "text/json", simple), 415},
		"not a media type": {with("POST", "/webhook/"+token, ";;", simple), 415},
		"compressed":       {zipped, 415},

		"cut":           {cut, 400},
		"nothing":       {post("/webhook/"+token, ""), 400},
		"for Slack":     {post("/webhook/"+token, `{"text":"Chat deleted"}`), 400},
		"two documents": {post("/webhook/"+token, simple+simple), 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &memory{}
			h, log := newHandler(t, q)
			w := answer(h, c.request)
			require.Equal(t, c.status, w.Code, w.Body)
			if c.status != http.StatusAccepted {
				require.Empty(t, q.hints)
				require.NotEmpty(t, log.String())
			} else {
				require.Len(t, q.hints, 1)
			}
			if c.status == http.StatusMethodNotAllowed {
				require.Equal(t, "POST", w.Header().Get("Allow"))
			}
			for _, told := range []string{log.String(), w.Body.String(), fmt.Sprintf("%+v", h)} {
				require.NotContains(t, told, token)
				require.NotContains(t, told, "wrong\"")
			}
		})
	}
}

// broken is a sender that goes away.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWithoutTokenNobodyIsBelieved(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Queue: &memory{}, Log: zerolog.Nop()})
	require.Error(t, err)
}

func TestTokenMayHoldAnything(t *testing.T) {
	t.Parallel()
	const odd = "a/b+c=?d&e %f"
	h, err := New(Options{Token: odd, Queue: &memory{}, Log: zerolog.Nop()})
	require.NoError(t, err)
	require.Equal(t, 202, answer(h, post("/webhook/"+url.PathEscape(odd), simple)).Code)
	require.Equal(t, 202, answer(h, post("/webhook?token="+url.QueryEscape(odd), simple)).Code)
}

// Nothing is accepted before the queue has answered; one that is only away for
// a moment is waited for.
func TestQueueThatIsAway(t *testing.T) {
	t.Parallel()
	gone := errors.New("no responders")
	full := fmt.Errorf("publishing: %w", consumer.ErrFull)
	for name, c := range map[string]struct {
		errs   []error // the last one stays
		status int
		took   time.Duration // at most
	}{
		"for good":     {[]error{gone}, 503, patience + pause},
		"for a moment": {[]error{gone, gone, nil}, 202, 2 * pause},
		"full":         {[]error{full}, 503, 0},
		"away, full":   {[]error{gone, full}, 503, pause},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				q := &memory{fail: func() error {
					tries++
					return c.errs[min(tries, len(c.errs))-1]
				}}
				h, log := newHandler(t, q)
				start := time.Now()
				w := answer(h, post("/webhook/"+token, simple))
				require.Equal(t, c.status, w.Code)
				require.LessOrEqual(t, time.Since(start), c.took)
				if c.status == http.StatusServiceUnavailable {
					require.Equal(t, "10", w.Header().Get("Retry-After"))
					require.NotContains(t, w.Body.String(), "responders")
					require.Contains(t, log.String(), c.errs[len(c.errs)-1].Error())
				}
			})
		})
	}
}

// A sender that does not wait for the answer has sent its event all the same.
func TestSenderThatIsGone(t *testing.T) {
	t.Parallel()
	q := &memory{}
	h, _ := newHandler(t, q)
	ctx, cancel := context.WithCancel(t.Context())
	q.fail = func() error { cancel(); q.fail = nil; return errors.New("busy") }
	require.Equal(t, 202, answer(h, post("/webhook/"+token, simple).WithContext(ctx)).Code)
	require.Len(t, q.hints, 1)
}

// So many bodies are held at the same time; whoever comes then waits, not for ever.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHandler(t, &memory{})
		for range atOnce {
			require.NoError(t, h.enter(t.Context()))
		}
		require.Equal(t, 503, answer(h, post("/webhook/"+token, simple)).Code)
		time.AfterFunc(time.Second, h.leave)
		require.Equal(t, 202, answer(h, post("/webhook/"+token, simple)).Code)
	})
}
