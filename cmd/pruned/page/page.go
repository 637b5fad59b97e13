// Package page is what an operator sees in a browser: what is there, what is unused, held,
// deleted, and what to do about it.
//
// Its central idea is that the page decides nothing and knows nothing that a command does
// not: each view reads what the daemon has open, and each action takes the way of its
// command, which the view names. The server makes all of it, charts included; without a
// script nothing is missing but figures that move. It must not know how anything is
// deleted, and asks no server but its own.
package page

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/reap"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// Options say whose page it is.
type Options struct {
	Token   string         // that signs in
	Proxies []netip.Prefix // whose header X-Forwarded-User signs in
	// OpenWebUI is where people open the application; empty: there are no links to it.
	OpenWebUI string
	Version   string
	DryRun    bool // of the daemon: nothing is deleted, and no action is taken
	Commands  Commands
	// Open is what the daemon has open just now, or why that is nothing.
	Open func() (*Open, error)
	// Unwell is why the daemon does not do everything that it is there for.
	Unwell func() error
	// Figures are those of the process, by their names and labels in /metrics.
	Figures func() map[string]float64
	Log     zerolog.Logger
	// Recent are the last lines of the process's log.
	Recent *Log
}

// Open is what a daemon works with.
type Open struct {
	DB       repo.Engine
	Queue    *consumer.Queue
	Control  *consumer.Follower
	Rate     float64 // as PRUNED_RATE says
	Vectors  string  // what the store is called
	Blobs    repo.Blobs
	Sweeps   *sweep.Scheduler
	Executor *reap.Reaper // nil in a dry run
	Ages     repo.Ages
	// BytesDelay is how long bytes stay after their row, also where the trash is emptied.
	BytesDelay time.Duration
}

// Commands are the answers of commands that the page shows as they are.
type Commands interface {
	Explain(ctx context.Context, id string) (Explanation, error)
	// Examine is doctor's; quick is its health check.
	Examine(ctx context.Context, quick bool) ([]repo.Finding, error)
	// Keep keeps one file for so long, zero: for ever, or says why it cannot be kept.
	Keep(ctx context.Context, id string, lasts time.Duration, note string) (refused string, err error)
	Settings() []Setting
}

// Explanation is everything known about one file.
type Explanation struct {
	ID, Name string
	Known    bool // it was seen once
	Facts    []Fact
}

// Fact is one line of an explanation. Table and Row are those of what it tells of, if that
// is a row.
type Fact struct{ Name, Text, Table, Row string }

// Setting is one setting as it holds, without what is secret in it.
type Setting struct{ Group, Name, Value, From string }

// Page serves the views.
type Page struct {
	Options
	ctx      context.Context // of the daemon: what lasts ends with it
	sessions *sessions
	routes   http.Handler
}

// New makes the page of a daemon, which ends with ctx.
func New(ctx context.Context, o Options) *Page {
	p := &Page{Options: o, ctx: ctx, sessions: newSessions(o.Token, o.Proxies)}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", serveAssets())
	mux.HandleFunc("GET /signin", p.showSignIn)
	mux.HandleFunc("POST /signin", p.signIn)
	mux.HandleFunc("POST /signout", p.signOut)
	for _, v := range allViews {
		mux.Handle("GET "+v.pattern(), p.signedIn(p.show(v)))
	}
	for path, act := range allActions {
		mux.Handle("POST "+path, p.signedIn(p.do(act)))
	}
	for path, serve := range allStreams {
		mux.Handle("GET "+path, p.signedIn(func(w http.ResponseWriter, r *http.Request) { serve(p, w, r) }))
	}
	mux.Handle("/", p.signedIn(p.showMissing))
	p.routes = secured(mux)
	return p
}

// ServeHTTP answers a browser.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.routes.ServeHTTP(w, r) }
