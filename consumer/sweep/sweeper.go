package sweep

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/fault"
	"pruned/repo"
	"pruned/vectors"
)

// Publisher stores events in the queue.
type Publisher interface {
	Publish(ctx context.Context, events iter.Seq2[event.Event, error], settled func(consumer.Settlement)) (stored int, err error)
}

// Sweeper finds orphans in every direction and publishes an event about each.
// It decides nothing: whoever handles an event checks everything again. Only what no event
// can name it removes itself (see Folders, Rows, Dangling).
type Sweeper struct {
	DB      repo.Engine
	Vectors vectors.Store
	Blobs   repo.Blobs
	Queue   Publisher

	Ages        repo.Ages
	MaxFraction float64       // of what is there that may go in one sweep; 1 for all
	Retention   time.Duration // of the ledger; zero keeps it
	Cache       repo.Cache    // the application's, beside the upload folder
	CacheAge    time.Duration // at which its files go; zero: never
	DryRun      bool          // takes the same path, publishes nothing, and rolls back
	Paused      func() bool   // says that it only finds for now, and removes nothing itself; may be nil
	Log         zerolog.Logger
	// RemovesDangling: rows that nothing in the application can reach go, and are not only
	// counted.
	RemovesDangling bool

	sweeping    sync.Mutex                 // one at a time
	listed      map[repo.Direction]listing // when a store was last listed, and what was there
	cached      listing                    // the same of the cache; nothing is remembered of its contents
	searched    listing                    // the same of lost rows
	dangled     danglingListing            // the same of dangling ones
	ttl         time.Duration              // of the lease; leaseTTL if zero
	rowsLimit   time.Duration              // for removing lost rows; rowsTimeout if zero
	pageSize    int                        // of what a store lists; listPageSize if zero
	toldForeign bool                       // collections of other programs were told
}

// Options are those of one sweep.
type Options struct {
	// Confirm is the id of a held sweep: what it found is let go, unless it is in
	// use by now.
	Confirm string
	// Part is which part of it.
	Part Part
	// Wait is how long to wait for another process that sweeps.
	Wait time.Duration
	// Rest permits to do without listing a store that was listed just now, by
	// what that took.
	Rest bool
	// Each is told of every orphan, due or not, in each direction in which it was
	// found. It ends the sweep by an error.
	Each func(Orphan) error
	// Progress is told how far a stage is. total is zero where nobody knows.
	Progress func(stage string, done, total int64)
}

func (o Options) progress(stage string, done, total int64) {
	if o.Progress != nil {
		o.Progress(stage, done, total)
	}
}

// Orphan is a file that nothing uses, or what is left of one.
type Orphan struct {
	FileID    string         `json:"file_id"`
	Direction repo.Direction `json:"direction"`
	Age       int64          `json:"age_s"`    // of the row or the object; of vectors since they were first found
	DueIn     int64          `json:"due_in_s"` // zero when an event is useful
	Bytes     int64          `json:"bytes"`
}

// Report is what a sweep did. Its orphans went to SweepOptions.Each.
type Report struct {
	// ID is what confirms it if anything was held, also where that was held
	// before.
	ID        string      `json:"id"`
	Files     int64       `json:"files"`     // rows of table file
	Published int64       `json:"published"` // events that the queue has stored
	Held      int64       `json:"held"`      // orphans, and folders, that are held back
	Holds     []repo.Hold `json:"holds"`
	Totals    Totals      `json:"totals"`
	Folders   Folders     `json:"folders"`
	// Rows is missing where the store keeps none, is not approved, or was looked at just now.
	Rows *Rows `json:"rows,omitempty"`
	// Cache is missing where no age is set, and where the cache was looked at just now.
	Cache *CacheReport `json:"cache,omitempty"`
	// Dangling is missing where the sweep did not come to them.
	Dangling *Dangling `json:"dangling,omitempty"`
	// LetGo is what a confirmation let go; missing where none was asked for.
	LetGo *LetGo `json:"let_go,omitempty"`
	// Earlier is what the id that was to be confirmed let go before; nothing was swept then.
	Earlier *Confirmation `json:"confirmed_before,omitempty"`
	// Foreign are collections of other programs, where a sweeper looks for the first time.
	Foreign []string `json:"foreign_collections,omitempty"`
}

// LetGo counts what somebody let go, and nothing holds any more.
type LetGo struct {
	Files   int64 `json:"files"`
	FirstIn int64 `json:"first_due_in_s"` // zero when the first is due
}

// Totals add up what was found, whether or not it is due, held or reported
// before.
type Totals struct {
	Files   int64 `json:"files"`
	Orphans int64 `json:"orphans"`
	Chunks  int64 `json:"chunks"` // as far as known: those of a file whose row is there are not
	Bytes   int64 `json:"bytes"`
}

// txTimeout bounds one transaction of a sweep; a dry run is one as a whole.
const txTimeout = 30 * time.Minute

// Sweep sweeps once. While another process does it is ErrSweeping. What fails in
// one store does not keep the others from being swept.
func (s *Sweeper) Sweep(ctx context.Context, o Options) (Report, error) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	leading, resign, err := s.acquireLease(ctx, o.Wait)
	if err != nil {
		return Report{Holds: []repo.Hold{}}, err
	}
	defer resign()
	if s.listed == nil {
		s.listed = map[repo.Direction]listing{}
	}
	w := &run{Sweeper: s, options: o, confirmed: map[string]bool{}, unused: map[string]bool{}, report: Report{ID: uuid.NewString()[:8], Holds: []repo.Hold{}}}
	if o.Confirm != "" {
		if w.report.Earlier, err = w.findEarlier(leading); err != nil || w.report.Earlier != nil {
			return w.report, err
		}
		w.report.LetGo = &LetGo{}
	}
	err = w.sweepOnce(leading)
	if lost := context.Cause(leading); err != nil && errors.Is(lost, errLeaseLost) {
		err = errors.Join(lost, err)
	}
	return w.report, err
}

func (s *Sweeper) isPaused() bool { return s.Paused != nil && s.Paused() }

// removesNothing holds for a dry run, and while the work is paused.
func (s *Sweeper) removesNothing() bool { return s.DryRun || s.isPaused() }

// run is one under way.
type run struct {
	*Sweeper
	options Options
	tx      repo.Tx // of a dry run; nil where each step has its own
	number  int64
	report  Report
	failed  error            // of stores
	stuck   vectors.Leftover // the first folder that cannot be removed

	names  names           // the store's collections, as listed at the beginning
	unused map[string]bool // of them, those that nothing uses
	// unlinked are knowledge bases that hold a file which they do not link, as of the last
	// listing of the files.
	unlinked map[string]bool

	letGo     distinct        // files that were confirmed
	confirmed map[string]bool // stores that are bound from now on, also in a dry run
}

// sweepOnce lists the names that the index is to look for and brings it up to date, which
// is no part of a dry run's transaction, and then sweeps.
func (w *run) sweepOnce(ctx context.Context) error {
	if err := w.listNames(ctx); err != nil {
		return err
	}
	err := w.DB.IndexAll(ctx, func(table string, done, estimate int64) {
		w.options.progress("indexing "+table, done, estimate)
	})
	if err != nil {
		return err
	}
	if !w.DryRun {
		return w.runSteps(ctx)
	}
	var failed error
	err = w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		w.tx = tx
		failed = w.runSteps(ctx)
		return repo.ErrDryRun
	})
	if errors.Is(err, repo.ErrDryRun) {
		err = nil
	}
	return errors.Join(failed, err)
}

// inTx runs one step in a transaction of its own, or in the dry run's.
func (w *run) inTx(ctx context.Context, fn func(context.Context, repo.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	return w.DB.InTx(ctx, w.tx, func(tx repo.Tx) error { return fn(ctx, tx) })
}

// runSteps is the steps. Rows are published before any store is listed, which may
// take long; the stores are all listed before any of their events is published,
// so that what is left of one file in two of them is one event. What no event can name
// comes last.
func (w *run) runSteps(ctx context.Context) error {
	if err := w.beginSweep(ctx); err != nil {
		return err
	}
	fault.Point("rows listed")
	if err := w.publishDue(ctx, w.rowDirection()); err != nil {
		return err
	}
	fault.Point("rows published")
	var listed []*direction
	for _, d := range w.storeDirections() {
		done, err := w.listStore(ctx, d)
		if err != nil {
			return err
		}
		if done {
			listed = append(listed, d)
		}
	}
	fault.Point("stores listed")
	err := w.publishDue(ctx, listed...)
	if err == nil {
		err = w.sweepLeftovers(ctx, listed)
	}
	if err == nil {
		err = w.sweepFolders(ctx, listed)
	}
	if err == nil {
		err = w.sweepRows(ctx, listed)
	}
	w.reportForeign(ctx)
	w.failed = errors.Join(w.failed, w.sweepCache(ctx))
	if err == nil {
		w.failed = errors.Join(w.failed, w.sweepDangling(ctx))
	}
	fault.Point("swept")
	if err == nil && !w.removesNothing() {
		err = w.DB.ExpireOld(ctx, w.Retention)
	}
	return errors.Join(w.failed, err)
}

// beginSweep lets go what was confirmed, before it looks again: what nobody was shown
// is not let go. Then it numbers the sweep and marks rows.
func (w *run) beginSweep(ctx context.Context) error {
	var steps []func(context.Context, repo.Tx) error
	overtaken, err := w.isOvertaken(ctx)
	if err != nil {
		return err
	}
	switch {
	case w.options.Confirm == "":
	case w.options.Part.isWhole() && !overtaken:
		steps = append(steps, w.confirmHold)
	default:
		if err := w.confirmPart(ctx); err != nil {
			return err
		}
	}
	steps = append(steps,
		func(ctx context.Context, tx repo.Tx) (err error) {
			w.number, err = w.DB.BeginSweep(ctx, tx)
			return err
		},
		func(ctx context.Context, tx repo.Tx) error { return w.DB.UpsertRowCandidates(ctx, tx, w.number) })
	for _, step := range steps {
		if err := w.inTx(ctx, step); err != nil {
			return err
		}
	}
	return nil
}
