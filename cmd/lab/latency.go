package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

// Events come one by one, evenly. So many orphans that the daemon's first sweep holds them,
// and publishes nothing about them.
const (
	latencyRate   = 50 // a second
	firstEvents   = 50 // which find a daemon and a publisher that have just begun
	latencyEvents = 1000
	fewestEvents  = 50
)

// measureLatency measures how long an event takes from the moment it is published until its
// publisher is told that its transaction has committed.
func (b *bench) measureLatency(ctx context.Context) error {
	n := firstEvents + max(latencyEvents/b.shrink, fewestEvents)
	w, err := b.seedWorld(ctx, testenv.SeedOptions{Files: 2 * n, Orphans: n, ChunksPerFile: 3, Vectors: testenv.VectorOptions{Dim: 64}, Chats: 2000 / b.shrink, ChatBytes: 8 << 10}, false)
	if err != nil {
		return err
	}
	stop, _, err := w.startDaemon(ctx, []string{"PRUNED_SWEEP_EVERY=0", "PRUNED_MAX_FRACTION=0"}) // sweeps publish nothing
	if err != nil {
		return errors.Join(err, w.dropWorld(ctx))
	}
	var took []time.Duration
	if err = w.awaitDaemon(ctx); err == nil {
		took, err = w.publishEvenly(ctx, w.Orphans)
	}
	if err = errors.Join(err, stop(), w.dropWorld(ctx)); err != nil {
		return err
	}
	var rows [][]string
	for _, t := range [][]time.Duration{took[:firstEvents], took[firstEvents:]} {
		rows = append(rows, []string{fmt.Sprint(len(t)), fmt.Sprintf("%.0f ms", quantile(t, 0.5)), fmt.Sprintf("%.0f ms", quantile(t, 0.99)), fmt.Sprintf("%.0f ms", quantile(t, 1))})
	}
	return printTable(fmt.Sprintf("From publishing to the outcome, %d events a second: the first of a daemon and of a publisher, and those after them", latencyRate),
		[]string{"events", "median", "99 %", "longest"}, rows)
}

// publishEvenly publishes events about files, and returns how long each took.
func (w *world) publishEvenly(ctx context.Context, ids []string) (took []time.Duration, err error) {
	publish := exec.CommandContext(ctx, w.binary, "publish", "--wait", "--reason", "lab")
	var errs bytes.Buffer
	publish.Env, publish.Stderr = w.environment(), &errs
	in, err := publish.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := publish.StdoutPipe()
	if err == nil {
		err = publish.Start()
	}
	if err != nil {
		return nil, err
	}
	published := make(chan time.Time, len(ids))
	var writing errgroup.Group
	writing.Go(func() (err error) {
		defer func() { err = errors.Join(err, in.Close()) }()
		defer close(published)
		ticker := time.NewTicker(time.Second / latencyRate)
		defer ticker.Stop()
		for _, id := range ids {
			<-ticker.C
			published <- time.Now()
			if _, err := io.WriteString(in, id+"\n"); err != nil {
				return err
			}
		}
		return nil
	})
	took, err = readOutcomes(out, ids, published)
	if ended := publish.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("pruned publish: %w\n%s", ended, errs.Bytes()))
	}
	return took, errors.Join(err, writing.Wait())
}

// readOutcomes reads a line an event, in any order.
func readOutcomes(out io.Reader, ids []string, published <-chan time.Time) (took []time.Duration, err error) {
	at := map[string]time.Time{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		now := time.Now()
		id, outcome, _ := strings.Cut(lines.Text(), "\t")
		for _, next := range ids[len(at):] {
			if _, known := at[id]; known {
				break
			}
			at[next] = <-published
		}
		if !strings.HasPrefix(outcome, "deleted") {
			return took, fmt.Errorf("the outcome of %s is %q", id, outcome)
		}
		took = append(took, now.Sub(at[id]))
	}
	if len(took) != len(ids) {
		err = fmt.Errorf("%d of %d events have an outcome", len(took), len(ids))
	}
	return took, err
}
