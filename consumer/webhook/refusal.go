package webhook

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// retryAfter is when a queue that is away or full may be back.
const retryAfter = 10 * time.Second

// refusal is what is wrong with a request, as its sender is told. Any other
// error is ours: the sender learns no more than to come again.
type refusal struct {
	status int
	why    error
}

func (r *refusal) Error() string { return r.why.Error() }
func (r *refusal) Unwrap() error { return r.why }

func (h *Handler) refuse(w http.ResponseWriter, err error) {
	var wrong *refusal
	if !errors.As(err, &wrong) {
		wrong = &refusal{http.StatusServiceUnavailable, errors.New("the queue takes nothing now")}
		later(w, retryAfter)
	}
	if wrong.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	h.refusals.Do(func() {
		h.log.Warn().Err(err).Int("status", wrong.status).Msg("an event of Open WebUI was refused; sweeps find what it would have told")
	})
	http.Error(w, wrong.Error(), wrong.status)
}

// refuseStranger answers a request without the right token. It reads nothing of
// it, and its URL goes nowhere: a wrong token may be nearly the right one.
func (h *Handler) refuseStranger(w http.ResponseWriter, r *http.Request) {
	if !h.limits.allow(r.RemoteAddr, time.Now()) {
		later(w, failureEvery)
		http.Error(w, "too many requests without the right token", http.StatusTooManyRequests)
		return
	}
	h.strangers.Do(func() {
		h.log.Warn().Str("address", r.RemoteAddr).Msg("a request to the webhook without the right token was refused")
	})
	http.Error(w, "not the right token", http.StatusUnauthorized)
}

func later(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(d/time.Second)))
}
