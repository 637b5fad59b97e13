package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/consumer/loop"
	"pruned/repo/testenv"
)

type loadCmd struct {
	For     time.Duration `default:"10m" help:"How long events come, in all."`
	Turn    time.Duration `default:"30s" help:"How long at a time; before each the work is paused and no event comes for as long, and again for as long with the same deletes as bare SQL."`
	Rate    int           `default:"200" help:"Events a second: one of two is about an orphan."`
	Capture bool          `help:"Have rows captured, as by pruned migrate --capture."`
	Slow    bool          `help:"Only show how much slower the application was, as on a machine that is busy."`
}

// The most by which the median of what the application's writes take may grow, and that of
// which one of a hundred takes longer.
const (
	maxMedianGrowth = 1.10
	maxTailGrowth   = 1.25
)

// load is one run: a daemon, a publisher and an application on one database.
type load struct {
	*world
	rate      int
	events    []string
	bare      []string // orphans that bare SQL deletes
	daemon    int      // pid
	publisher io.WriteCloser
	putOff    int64 // orphans that were left for a sweep
}

// turn is what was seen of one length of time with the work, and before it of as much without, and
// of as much with the same deletes as bare SQL, a transaction a second.
type turn struct {
	without, bare, with []time.Duration
	deleted             int64
	waiting             int64 // orphans published so far that are still there at its end
	residentMB          float64
}

// Run holds the load, prints a row a turn, and fails where a file in use was lost, an orphan
// left, or the application slowed down too much.
func (c *loadCmd) Run(ctx context.Context, l *lab) error {
	turns := max(int(c.For/c.Turn), 1)
	events := int(c.Turn.Seconds()) * c.Rate * turns
	orphans := events // bare SQL deletes one half of them
	w, err := l.seedWorld(ctx, testenv.SeedOptions{Files: orphans + 10000, Orphans: orphans, ChunksPerFile: 3, Vectors: testenv.VectorOptions{Dim: 64}, Chats: 2000, ChatBytes: 8 << 10}, true)
	if err != nil {
		return err
	}
	if c.Capture {
		if _, _, err := w.runProgram(ctx, nil, nil, nil, "migrate", "--capture"); err != nil {
			return err
		}
	}
	run := &load{world: w, rate: c.Rate, bare: w.Orphans[events/2:]}
	for i, id := range w.Orphans[:events/2] {
		run.events = append(run.events, id, w.InUse[i%len(w.InUse)])
	}
	seen, err := run.hold(ctx, turns, c.Turn)
	if err != nil {
		return err
	}
	if err := run.print(seen, c); err != nil {
		return err
	}
	return errors.Join(run.checkLoad(ctx), run.judge(seen, c.Slow))
}

// hold runs all of it for so many turns, and then what is left.
func (r *load) hold(ctx context.Context, turns int, length time.Duration) (seen []turn, err error) {
	stop, pid, err := r.startDaemon(ctx, []string{"PRUNED_SWEEP_EVERY=0", "PRUNED_MAX_FRACTION=0"}) // sweeps publish nothing
	if err != nil {
		return nil, err
	}
	r.daemon = pid
	publish := exec.CommandContext(ctx, r.binary, "publish", "--reason", "load")
	publish.Env = r.environment()
	if r.publisher, err = publish.StdinPipe(); err == nil {
		err = r.awaitDaemon(ctx)
	}
	if err == nil {
		err = publish.Start()
	}
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	for range turns {
		if err != nil {
			break
		}
		var t turn
		t, err = r.holdTurn(ctx, length)
		seen = append(seen, t)
	}
	err = errors.Join(err, r.publisher.Close(), publish.Wait(), stop())
	if err == nil {
		err = r.sweepPutOff(ctx)
	}
	return seen, err
}

// sweepPutOff deletes what was put off: events about files that somebody might yet have
// mentioned come again after a minute, which no drain waits for, and a sweep finds them now.
func (r *load) sweepPutOff(ctx context.Context) error {
	if _, err := r.drainQueue(ctx); err != nil {
		return err
	}
	left, err := r.countHeld(ctx, r.Orphans)
	if err != nil {
		return err
	}
	r.putOff = left.rows
	_, _, err = r.runProgram(ctx, nil, nil, []string{"PRUNED_MAX_FRACTION=1"}, "run", "--once")
	return err
}

// awaitDaemon waits until its queue can be asked.
func (w *world) awaitDaemon(ctx context.Context) (err error) {
	deadline, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for loop.Sleep(deadline, 10*publishTick) {
		if _, _, err = w.runProgram(ctx, nil, nil, nil, "rate"); err == nil {
			return nil
		}
	}
	return err
}

// holdTurn measures the application with the work paused, beside bare SQL, and then with it.
func (r *load) holdTurn(ctx context.Context, length time.Duration) (t turn, err error) {
	if _, _, err = r.runProgram(ctx, nil, nil, nil, "pause"); err != nil {
		return t, err
	}
	if t.without, err = r.write(ctx, length, func(context.Context) error { return nil }); err != nil {
		return t, err
	}
	orphans := take(&r.bare, int(length.Seconds())*r.rate/2)
	if t.bare, err = r.write(ctx, length, func(ctx context.Context) error { return r.deleteEvenly(ctx, orphans) }); err != nil {
		return t, err
	}
	if _, _, err = r.runProgram(ctx, nil, nil, nil, "resume"); err != nil {
		return t, err
	}
	before, err := r.countDeleted(ctx)
	if err != nil {
		return t, err
	}
	published := take(&r.events, int(length.Seconds())*r.rate)
	if t.with, err = r.write(ctx, length, func(ctx context.Context) error { return r.publishEvenly(ctx, published) }); err != nil {
		return t, err
	}
	after, err := r.countDeleted(ctx)
	t.deleted = after - before
	t.waiting = int64(len(r.Orphans)/2-len(r.events)/2) - after
	t.residentMB, _ = readProcValue(r.daemon, "status", "VmRSS:")
	t.residentMB /= 1024
	return t, err
}

func (r *load) countDeleted(ctx context.Context) (n int64, err error) {
	return n, errors.Join(err, r.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT count(*) FROM pruned.ledger WHERE outcome = 'deleted'`).Scan(&n)
	}))
}

const (
	loadWriters = 2
	publishTick = 100 * time.Millisecond
)

// take takes the first of a list, so many or as many as there are.
func take(list *[]string, n int) (first []string) {
	n = min(n, len(*list))
	first, *list = (*list)[:n], (*list)[n:]
	return first
}

// publishEvenly publishes events until ctx ends. What is late then comes at once.
func (r *load) publishEvenly(ctx context.Context, events []string) error {
	for each := max(r.rate*int(publishTick)/int(time.Second), 1); len(events) > 0; loop.Sleep(ctx, publishTick) {
		if _, err := io.WriteString(r.publisher, strings.Join(take(&events, each), "\n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// deleteEvenly deletes orphans by bare SQL until ctx ends, each second those of a second. What
// is late then goes at once.
func (r *load) deleteEvenly(ctx context.Context, orphans []string) error {
	whole := context.WithoutCancel(ctx)
	return r.withConn(whole, func(conn *pgx.Conn) error {
		for ; len(orphans) > 0; loop.Sleep(ctx, time.Second) {
			if err := deleteBare(whole, conn, take(&orphans, max(r.rate/2, 1)), []string{bareOwn, bareFiles}); err != nil {
				return err
			}
		}
		return nil
	})
}

// write has the application write for so long, beside something, and returns what each of its
// transactions took.
func (r *load) write(ctx context.Context, length time.Duration, beside func(context.Context) error) (took []time.Duration, err error) {
	limited, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	writers := make([]*chatWriter, loadWriters)
	group, _ := errgroup.WithContext(ctx)
	for i := range writers {
		writers[i] = &chatWriter{files: r.InUse}
		group.Go(func() error {
			return r.withConn(ctx, func(conn *pgx.Conn) error { return writers[i].writeUntil(limited, conn) })
		})
	}
	group.Go(func() error { return beside(limited) })
	err = group.Wait()
	for _, w := range writers {
		took = append(took, w.took...)
	}
	return took, err
}

// checkLoad looks for what must be there, and for what must not.
func (r *load) checkLoad(ctx context.Context) error {
	var inUse, left, unattached int
	err := r.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM file WHERE id = ANY ($1)), (SELECT count(*) FROM file WHERE id = ANY ($2)),
			(SELECT count(*) FROM chat_file l WHERE NOT EXISTS (SELECT FROM file f WHERE f.id = l.file_id))`, r.InUse, r.Orphans).Scan(&inUse, &left, &unattached)
	})
	if err == nil && (inUse != len(r.InUse) || left > 0 || unattached > 0) {
		err = fmt.Errorf("%d of %d files in use are left, %d orphans, %d links without their file", inUse, len(r.InUse), left, unattached)
	}
	return err
}

func (r *load) print(seen []turn, c *loadCmd) error {
	var rows [][]string
	for i, t := range seen {
		rows = append(rows, append([]string{fmt.Sprint(i + 1), fmt.Sprintf("%.0f", float64(t.deleted)/c.Turn.Seconds()), fmt.Sprint(t.waiting), fmt.Sprintf("%.0f MB", t.residentMB)}, latencies(t)...))
	}
	rows = append(rows, append([]string{"all", "", "", ""}, latencies(sumTurns(seen))...))
	return printTable(fmt.Sprintf("%d events a second in turns of %s, beside an application that writes chats and attaches files; %d orphans were put off until a sweep", c.Rate, c.Turn, r.putOff),
		[]string{"turn", "deleted/s", "behind", "resident", "writes", "bare SQL", "with", "median", "bare SQL", "ratio", "with", "ratio", "99 %", "bare SQL", "ratio", "with", "ratio"}, rows)
}

// latencies are the application's: without the work, beside bare SQL, and with the work.
func latencies(t turn) (cells []string) {
	for _, list := range [][]time.Duration{t.without, t.bare, t.with} {
		cells = append(cells, fmt.Sprint(len(list)))
	}
	for _, q := range []float64{0.5, 0.99} {
		without := quantile(t.without, q)
		cells = append(cells, fmt.Sprintf("%.2f ms", without))
		for _, list := range [][]time.Duration{t.bare, t.with} {
			cells = append(cells, fmt.Sprintf("%.2f ms", quantile(list, q)), fmt.Sprintf("%.2f", quantile(list, q)/without))
		}
	}
	return cells
}

func sumTurns(seen []turn) (all turn) {
	for _, t := range seen {
		all.without, all.bare, all.with = slices.Concat(all.without, t.without), slices.Concat(all.bare, t.bare), slices.Concat(all.with, t.with)
	}
	return all
}

// judge says whether memory and rate were flat, and how much slower the application was.
func (r *load) judge(seen []turn, slow bool) error {
	first, last := seen[0], seen[len(seen)-1]
	if len(seen) > 4 && last.residentMB > 1.2*max(first.residentMB, seen[len(seen)/2].residentMB) {
		return fmt.Errorf("memory grew from %.0f to %.0f MB", first.residentMB, last.residentMB)
	}
	if behind := int64(5 * r.rate); last.waiting > behind {
		return fmt.Errorf("it is behind by %d orphans, more than %d", last.waiting, behind)
	}
	all := sumTurns(seen)
	median, tail := quantile(all.with, 0.5)/quantile(all.without, 0.5), quantile(all.with, 0.99)/quantile(all.without, 0.99)
	if !slow && (median > maxMedianGrowth || tail > maxTailGrowth) {
		return fmt.Errorf("the application's writes took %.2f times as long (99 %%: %.2f), where %.2f and %.2f are allowed", median, tail, maxMedianGrowth, maxTailGrowth)
	}
	return nil
}
