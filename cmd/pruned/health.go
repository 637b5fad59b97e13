package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pruned/cmd/pruned/metrics"
	"pruned/config"
	"pruned/consumer"
	"pruned/consumer/reap"
	"pruned/consumer/sweep"
)

const (
	// maxFailures is how many tries in a row make a failure more than passing.
	maxFailures = 3
	// maxOverdue is more than a store's rest after a long scan.
	maxOverdue = 2 * time.Hour
	// maxSilence is longer than any step takes that ends by itself.
	maxSilence = time.Hour
)

// work is what a daemon has open.
type work struct {
	consumer *consumer.Consumer
	sweeps   *sweep.Scheduler
	executor *reap.Reaper // nil in a dry run
	opened   metrics.Open // what a scrape asks
	app      *app         // for the page
}

// service is what PRUNED_HTTP tells of.
type service struct {
	relay    relay
	identity atomic.Value // the installation's identity as strangers may see it, once known
	metrics  *metrics.Metrics
	settings *config.Settings // for the page

	mu      sync.Mutex
	work    *work // nil while nothing is open
	why     error // nothing is open
	trouble error // of the last look at what is open
}

var errStarting = errors.New("pruned starts")

// newService makes what tells of a daemon that has nothing open yet.
func (c *command) newService() *service {
	d := &service{why: errStarting}
	d.metrics = metrics.New(metrics.Options{
		Version: version, Revision: readBuild().Commit, Log: c.newLogger(), Open: d.whatIsOpen, Disks: c.listDisks,
		Ready: func() bool { return d.whyUnready() == nil },
	})
	return d
}

// whatIsOpen is nil while nothing is.
func (d *service) whatIsOpen() *metrics.Open {
	w, _, _ := d.currentWork()
	if w == nil {
		return nil
	}
	return &w.opened
}

// setWork sets what is open now, clearWork why nothing is any more.
func (d *service) setWork(w *work, queue *consumer.Queue) {
	d.relay.queue.Store(queue)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work, d.why, d.trouble = w, nil, nil
}

func (d *service) clearWork(why error) {
	d.relay.queue.Store(nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work, d.why = nil, why
}

// setTrouble keeps what the last look at open parts found wrong.
func (d *service) setTrouble(trouble error) (changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed = fmt.Sprint(trouble) != fmt.Sprint(d.trouble)
	d.trouble = trouble
	return changed
}

func (d *service) currentWork() (w *work, why, trouble error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.work, d.why, d.trouble
}

// listenHTTP serves health, metrics and, where there is a token for it, the webhook.
func (c *command) listenHTTP(ctx context.Context, d *service) (stop func() error, err error) {
	log := c.newLogger()
	hook, err := newReceiver(c, &d.relay, log)
	if err != nil {
		return nil, err
	}
	admin := c.newPage(ctx, d)
	handler := newRoutes(d.checkHealth, d.checkReady, d.metrics.Handler(), hook, admin)
	address, stop, err := serveHTTP(ctx, "PRUNED_HTTP", c.cli.HTTP.Listen, newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if whose, ok := d.identity.Load().(string); ok {
			w.Header().Set(identityHeader, whose)
		}
		handler.ServeHTTP(w, r)
	}), log))
	if err != nil {
		return nil, err
	}
	log.Info().Stringer("address", address).Bool("webhook", hook != nil).Bool("page", admin != nil).Msg("listening")
	return stop, nil
}

// checkHealth fails where a loop of the process no longer comes round. What needs a person, or a server that
// is away, needs no restart: it is told, and is no failure.
func (d *service) checkHealth(context.Context) (string, error) {
	notes := d.listNotes()
	if err := d.whyUnready(); err != nil {
		notes = fmt.Sprintf("not ready: %s\n", oneLine(err)) + notes
	}
	w, _, _ := d.currentWork()
	if w == nil {
		return notes, nil
	}
	silent := map[string]time.Duration{"the consumer": w.consumer.Silent(), "the sweeps": w.sweeps.Silent()}
	if w.executor != nil {
		silent["the executor of tombstones"] = w.executor.Silent()
	}
	for what, since := range silent {
		if since > maxSilence {
			return notes, fmt.Errorf("stuck: nothing was heard of %s for %s", what, since.Round(time.Second))
		}
	}
	return notes, nil
}

// checkReady fails where the process does not do everything it is there for.
func (d *service) checkReady(context.Context) (string, error) { return d.listNotes(), d.whyUnready() }

// whyUnready says why not everything is done: events, sweeps, what is stored, tombstones.
func (d *service) whyUnready() error {
	w, why, trouble := d.currentWork()
	if w == nil {
		return why
	}
	errs := []error{trouble, w.consumer.State()}
	if s := w.sweeps.State(); s.Failures >= maxFailures {
		errs = append(errs, fmt.Errorf("the last %d sweeps failed: %w", s.Failures, s.Err))
	}
	if w.executor != nil {
		if s := w.executor.State(); s.Failures >= maxFailures {
			errs = append(errs, fmt.Errorf("tombstones could not be carried out %d times: %w", s.Failures, s.Err))
		}
	}
	return errors.Join(errs...)
}

// listNotes lists what a person should know, a line each.
func (d *service) listNotes() string {
	w, _, _ := d.currentWork()
	if w == nil {
		return ""
	}
	state := w.sweeps.State()
	var notes strings.Builder
	control, _ := w.app.control.Current()
	if err := control.WhyPaused(); err != nil {
		fmt.Fprintln(&notes, err)
	}
	if control.Rate != nil {
		fmt.Fprintln(&notes, control.DescribeRate(0))
	}
	if state.Err != nil {
		fmt.Fprintf(&notes, "the last sweep failed: %v\n", state.Err)
	}
	for _, hold := range state.Report.Holds {
		fmt.Fprintf(&notes, "held: %s of %s: %s; `pruned sweep --confirm %s` lets it go\n", hold.Direction, hold.Store, hold.Reason, hold.ID)
	}
	return notes.String()
}

// oneLine is an error that may be several, on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
