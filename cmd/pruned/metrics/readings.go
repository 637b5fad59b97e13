package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pruned/consumer"
	"pruned/consumer/reap"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// Open is what a daemon has open, as far as a scrape asks it.
type Open struct {
	DB       repo.Engine
	Queue    *consumer.Queue
	Control  *consumer.Follower
	Sweeps   *sweep.Scheduler
	Executor *reap.Reaper // nil in a dry run
}

// figure describes a gauge.
func figure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	indexAge   = figure("pruned_index_age_seconds", "Since a pass last brought the reference index up to date.")
	holds      = figure("pruned_holds", "Stores in which what sweeps found is held until a person confirms it, by direction.", "direction")
	tombstones = figure("pruned_tombstones", "What is still to be removed of deleted files, by kind.", "kind")
	overdue    = figure("pruned_tombstones_overdue_seconds", "By how much the first tombstone is late that may be carried out; 0 where none is.")

	trashFiles  = figure("pruned_trash_files", "Deleted files that can be restored.")
	trashBytes  = figure("pruned_trash_bytes", "Bytes of deleted files that are kept for the trash, as far as their rows told.")
	trashOldest = figure("pruned_trash_oldest_age_seconds", "Since the first file was deleted that can be restored; 0 where none can.")

	pending     = figure("pruned_queue_pending_events", "Events that were never delivered.")
	unacked     = figure("pruned_queue_unacked_events", "Events that were delivered and not settled, delayed ones included.")
	oldestEvent = figure("pruned_queue_oldest_event_age_seconds", "Since the oldest event was stored that is not settled; 0 where all are.")
	deadLetters = figure("pruned_queue_dead_letters", "Events that can never succeed.")

	paused = figure("pruned_paused", "Whether the work of every process is paused: 1 or 0.")

	sweepSuccess   = figure("pruned_sweep_last_success_timestamp_seconds", "When this process last ended a sweep that did not fail.")
	sweepDuration  = figure("pruned_sweep_last_duration_seconds", "How long the last sweep of this process took, also one that failed.")
	sweepFailures  = figure("pruned_sweep_consecutive_failures", "Sweeps of this process that failed since the last that did not.")
	sweepOrphans   = figure("pruned_sweep_last_orphans", "Orphans that the last sweep of this process found, due or not.")
	sweepPublished = figure("pruned_sweep_last_published_events", "Events that the last sweep of this process published.")
	sweepHeld      = figure("pruned_sweep_last_held_orphans", "Orphans that the last sweep of this process found and held.")
)

// allGroups are all that is read.
func allGroups() []group {
	return []group{
		{"database", []reading{
			{"index", []*prometheus.Desc{indexAge}, readIndex},
			{"holds", []*prometheus.Desc{holds}, readHolds},
			{"tombstones", []*prometheus.Desc{tombstones}, readTombstones},
			{"overdue", []*prometheus.Desc{overdue}, readOverdue},
			{"trash", []*prometheus.Desc{trashFiles, trashBytes, trashOldest}, readTrash},
		}},
		{"queue", []reading{
			{"backlog", []*prometheus.Desc{pending, unacked}, readBacklog},
			{"oldest_event", []*prometheus.Desc{oldestEvent}, readOldestEvent},
			{"dead_letters", []*prometheus.Desc{deadLetters}, readDeadLetters},
		}},
		{"process", []reading{
			{"control", []*prometheus.Desc{paused}, readControl},
			{"sweeps", []*prometheus.Desc{sweepSuccess, sweepDuration, sweepFailures, sweepOrphans, sweepPublished, sweepHeld}, readSweeps},
		}},
	}
}

func readIndex(ctx context.Context, open *Open, tell emit) error {
	age, known, err := open.DB.IndexAge(ctx)
	if err == nil && known {
		tell(indexAge, age.Seconds())
	}
	return err
}

func readHolds(ctx context.Context, open *Open, tell emit) error {
	list, err := open.DB.ListHolds(ctx)
	if err != nil {
		return err
	}
	n := map[repo.Direction]int{repo.FromRows: 0, repo.FromVectors: 0, repo.FromBytes: 0, repo.FromCollections: 0, repo.FromPoints: 0, repo.FromFolders: 0, repo.FromDangling: 0}
	for _, hold := range list {
		n[hold.Direction]++
	}
	for direction, n := range n {
		tell(holds, float64(n), string(direction))
	}
	return nil
}

func readTombstones(ctx context.Context, open *Open, tell emit) error {
	for _, kind := range repo.AllKinds {
		waiting, err := open.DB.Backlog(ctx, kind)
		if err != nil {
			return err
		}
		tell(tombstones, float64(waiting.Count), kind)
	}
	return nil
}

func readOverdue(ctx context.Context, open *Open, tell emit) error {
	if open.Executor == nil {
		return nil
	}
	late, err := open.Executor.Overdue(ctx)
	tell(overdue, max(late, 0).Seconds())
	return err
}

func readTrash(ctx context.Context, open *Open, tell emit) error {
	sum, err := open.DB.SumTrash(ctx)
	if err == nil {
		tell(trashFiles, float64(sum.Files))
		tell(trashBytes, float64(sum.Bytes))
		tell(trashOldest, sum.Oldest.Seconds())
	}
	return err
}

func readBacklog(ctx context.Context, open *Open, tell emit) error {
	backlog, err := open.Queue.Backlog(ctx)
	tell(pending, float64(backlog.Pending))
	tell(unacked, float64(backlog.Unacked))
	return err
}

func readOldestEvent(ctx context.Context, open *Open, tell emit) error {
	age, _, err := open.Queue.OldestEvent(ctx)
	tell(oldestEvent, age.Seconds())
	return err
}

func readDeadLetters(ctx context.Context, open *Open, tell emit) error {
	n, err := open.Queue.CountDeadLetters(ctx)
	tell(deadLetters, float64(n))
	return err
}

func readControl(_ context.Context, open *Open, tell emit) error {
	value := 0.0
	if open.Control.IsPaused() {
		value = 1
	}
	tell(paused, value)
	return nil
}

func readSweeps(_ context.Context, open *Open, tell emit) error {
	state := open.Sweeps.State()
	if state.Began.IsZero() {
		return nil
	}
	tell(sweepDuration, state.Took.Seconds())
	tell(sweepFailures, float64(state.Failures))
	tell(sweepOrphans, float64(state.Report.Totals.Orphans))
	tell(sweepPublished, float64(state.Report.Published))
	tell(sweepHeld, float64(state.Report.Held))
	if !state.Succeeded.IsZero() {
		tell(sweepSuccess, float64(state.Succeeded.UnixNano())/float64(time.Second))
	}
	return nil
}
