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

	"pruned/consumer"
	"pruned/consumer/reap"
	"pruned/consumer/sweep"
)

const (
	// failedOften is how many tries in a row make a failure more than passing.
	failedOften = 3
	// overdueLong is more than a store's rest after a long scan.
	overdueLong = 2 * time.Hour
	// silentLong is longer than any step takes that ends by itself.
	silentLong = time.Hour
)

// work is what a daemon has open.
type work struct {
	consumer *consumer.Consumer
	sweeps   *sweep.Scheduler
	executor *reap.Reaper // nil in a dry run
}

// service is what PRUNED_HTTP tells of.
type service struct {
	relay relay
	whose atomic.Value // the installation's identity as strangers may see it, once known

	mu      sync.Mutex
	work    *work // nil while nothing is open
	why     error // nothing is open
	trouble error // of the last look at what is open
}

var errStarting = errors.New("pruned starts")

// begin tells of what is open now, end of why it no longer is.
func (d *service) begin(w *work, queue *consumer.Queue) {
	d.relay.queue.Store(queue)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work, d.why, d.trouble = w, nil, nil
}

func (d *service) end(why error) {
	d.relay.queue.Store(nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work, d.why = nil, why
}

// looked keeps what a look at what is open found wrong.
func (d *service) looked(trouble error) (changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed = fmt.Sprint(trouble) != fmt.Sprint(d.trouble)
	d.trouble = trouble
	return changed
}

func (d *service) state() (w *work, why, trouble error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.work, d.why, d.trouble
}

// listen serves health and, where there is a token for it, the webhook.
func (c *command) listen(ctx context.Context, d *service) (stop func() error, err error) {
	log := c.logger()
	hook, err := receiver(c, &d.relay, log)
	if err != nil {
		return nil, err
	}
	handler := routes(d.healthy, d.ready, hook)
	address, stop, err := serve(ctx, c.cli.HTTP.Listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if whose, ok := d.whose.Load().(string); ok {
			w.Header().Set(askedHeader, whose)
		}
		handler.ServeHTTP(w, r)
	}), log)
	if err != nil {
		return nil, err
	}
	log.Info().Stringer("address", address).Bool("webhook", hook != nil).Msg("listening")
	return stop, nil
}

// healthy is a process whose loops come round. What needs a person, or a server that
// is away, needs no restart: it is told, and is no failure.
func (d *service) healthy(context.Context) (string, error) {
	notes := d.notes()
	if err := d.unready(); err != nil {
		notes = fmt.Sprintf("not ready: %s\n", oneLine(err)) + notes
	}
	w, _, _ := d.state()
	if w == nil {
		return notes, nil
	}
	silent := map[string]time.Duration{"the consumer": w.consumer.Silent(), "the sweeps": w.sweeps.Silent()}
	if w.executor != nil {
		silent["the executor of tombstones"] = w.executor.Silent()
	}
	for what, since := range silent {
		if since > silentLong {
			return notes, fmt.Errorf("stuck: nothing was heard of %s for %s", what, since.Round(time.Second))
		}
	}
	return notes, nil
}

// ready is a process that does everything it is there for.
func (d *service) ready(context.Context) (string, error) { return d.notes(), d.unready() }

// unready says why not everything is done: claims, sweeps, what is stored, tombstones.
func (d *service) unready() error {
	w, why, trouble := d.state()
	if w == nil {
		return why
	}
	errs := []error{trouble, w.consumer.State()}
	if s := w.sweeps.State(); s.Failures >= failedOften {
		errs = append(errs, fmt.Errorf("the last %d sweeps failed: %w", s.Failures, s.Err))
	}
	if w.executor != nil {
		if s := w.executor.State(); s.Failures >= failedOften {
			errs = append(errs, fmt.Errorf("tombstones could not be carried out %d times: %w", s.Failures, s.Err))
		}
	}
	return errors.Join(errs...)
}

// notes are what a person should know, a line each.
func (d *service) notes() string {
	w, _, _ := d.state()
	if w == nil {
		return ""
	}
	state := w.sweeps.State()
	var notes strings.Builder
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
