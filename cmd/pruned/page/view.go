package page

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"pruned/repo"
)

// view is one page. read makes its body of what the daemon has open.
type view struct {
	Path, Title string
	name        string        // of its template
	hidden      bool          // not in the menu
	timeout     time.Duration // for its answer; readTimeout if zero
	read        func(ctx context.Context, p *Page, open *Open, r *http.Request) (any, error)
}

func (v *view) pattern() string {
	if v.Path == "/" {
		return "/{$}"
	}
	return v.Path
}

// allViews are all, in the order of the menu.
var allViews = []*view{
	{Path: "/", Title: "Overview", name: "overview", read: readOverview},
	{Path: "/unused", Title: "Unused", name: "unused", read: readUnused},
	{Path: "/held", Title: "Held", name: "held", read: readHeld},
	{Path: "/live", Title: "Live", name: "live", read: readLive},
	{Path: "/deleted", Title: "Deleted", name: "deleted", read: readDeleted},
	{Path: "/kept", Title: "Kept", name: "kept", read: readKept},
	{Path: "/dead", Title: "Dead letters", name: "dead", read: readDead},
	{Path: "/doctor", Title: "Doctor", name: "doctor", timeout: doctorTimeout, read: readDoctor},
	{Path: "/settings", Title: "Settings", name: "settings", read: readSettings},
	{Path: "/file", Title: "One file", name: "file", read: readFile},
	{Path: "/unused/show", Title: "How it begins", name: "preview", hidden: true, read: readPreview},
	{Path: "/dead/show", Title: "Dead letter", name: "letter", hidden: true, read: readLetter},
}

// allActions are what can be done, by their paths.
var allActions = map[string]action{
	"/held/confirm":    {"/held", confirmHold},
	"/kept/add":        {"/kept", keepFiles},
	"/kept/end":        {"/kept", endKeeps},
	"/deleted/restore": {"/deleted", restoreFiles},
	"/deleted/empty":   {"/deleted", emptyTrash},
	"/live/pause":      {"/live", pauseWork},
	"/live/resume":     {"/live", resumeWork},
	"/live/rate":       {"/live", setRate},
	"/dead/redrive":    {"/dead", redriveLetters},
	"/dead/purge":      {"/dead", purgeLetters},
}

// allStreams answer with something else than a page.
var allStreams = map[string]func(*Page, http.ResponseWriter, *http.Request){
	"/unused.csv":   exportCSV,
	"/unused.json":  exportJSON,
	"/unused/image": serveImage,
	"/live/events":  streamFigures,
}

const (
	readTimeout   = 25 * time.Second // less than the server's for an answer
	doctorTimeout = 10 * time.Minute // it sweeps
	answerTimeout = 5 * time.Second  // for what is written once all was read
)

// show answers with a view. What cannot be read is told in its place.
func (p *Page) show(v *view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := frame{Title: v.Title, Current: v.Path, Done: takeDone(w, r)}
		status := http.StatusOK
		open, err := p.Open()
		if err != nil {
			f.Closed, status = err, http.StatusServiceUnavailable
		} else {
			timeout := cmp.Or(v.timeout, readTimeout)
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeout + answerTimeout)) // else it is the server's
			ctx, cancel := context.WithTimeout(r.Context(), timeout)
			defer cancel()
			f.Body, err = v.read(ctx, p, open, r)
		}
		if err != nil && f.Closed == nil {
			f.Body, f.Problem, status = nil, err.Error(), statusOf(err)
		}
		p.render(w, r, status, v.name, f)
	}
}

func (p *Page) showMissing(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusNotFound, "empty", frame{Title: "Not found", Problem: "There is no such page."})
}

// requestError is what somebody wrote into a link or a form and nobody can do.
type requestError struct{ error }

// BlameRequest says that an error is the fault of what was asked for.
func BlameRequest(err error) error { return requestError{err} }

func statusOf(err error) int {
	var bad requestError
	switch {
	case errors.As(err, &bad):
		return http.StatusBadRequest
	case errors.Is(err, errNoPreview):
		return http.StatusNotFound
	case errors.Is(err, errReadOnly):
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}

// action does what a form asks for, and says what came of it.
type action struct {
	back string // path of the view that shows it
	do   func(ctx context.Context, p *Page, open *Open, r *http.Request) (done string, err error)
}

var errReadOnly = errors.New("this daemon runs dry (PRUNED_DRY_RUN): it changes nothing")

// actTimeout is longer than a sweep takes.
const actTimeout = 30 * time.Minute

// do carries out an action, whether or not the browser waits for it, and shows its view.
func (p *Page) do(a action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(actTimeout)) // else it is the server's
		done, err := p.carryOut(a, r)
		if err != nil {
			p.render(w, r, statusOf(err), "empty", frame{Title: "Not done", Current: a.back, Problem: err.Error()})
			return
		}
		setCookie(w, r, doneCookie, base64.RawURLEncoding.EncodeToString([]byte(cut(maxDone, done))), time.Minute)
		http.Redirect(w, r, a.back, http.StatusSeeOther)
	}
}

func (p *Page) carryOut(a action, r *http.Request) (string, error) {
	if p.DryRun {
		return "", errReadOnly
	}
	if err := r.ParseForm(); err != nil {
		return "", requestError{err}
	}
	open, err := p.Open()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(p.ctx, actTimeout)
	defer cancel()
	return a.do(ctx, p, open, r)
}

const (
	doneCookie = "pruned_done"
	maxDone    = 1000 // characters of what an action came to
)

// takeDone is what the last action came to, once.
func takeDone(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(doneCookie)
	if err != nil {
		return ""
	}
	setCookie(w, r, doneCookie, "", -1)
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	return string(text)
}

// source is what the ledger says of what was done on the page.
const source = "page"

// record writes into the ledger who did what. It is about no file: what an id's last line
// says others go by.
func record(ctx context.Context, open *Open, r *http.Request, outcome, subject, what string) error {
	return open.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		return open.DB.RecordEntries(ctx, tx, []repo.Entry{{FileID: subject, Outcome: outcome, Source: source, Reason: what + ", by " + userOf(r)}})
	})
}
