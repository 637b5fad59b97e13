package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Before the first run there is nothing to tell, and nothing is made by telling so.
func TestStatusBeforeTheFirstRun(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	before := schema(t, i)
	s := ask[status](t, i, "status")
	require.Empty(t, s.Errors)
	require.Contains(t, s.Database.URL, "://")
	require.Len(t, s.Stores, 2)
	require.False(t, s.Stores[0].Bound)
	require.True(t, s.Queue.Absent)
	require.NotNil(t, s.Found)
	require.NotNil(t, s.Held)
	out := i.must(t, "status")
	require.Contains(t, out, "pruned has not run here yet: `pruned sweep --dry-run` shows what nothing uses")
	require.Regexp(t, `(?m)^found +none$`, out)
	require.Regexp(t, `(?m)^queue +PRUNED, not made yet`, out)
	require.Equal(t, before, schema(t, i), "it makes nothing")
}

// Everything is on one screen, with the command that lets go what is held.
func TestStatusTellsTheWork(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_BYTES_DELAY=1h", "PRUNED_TRASH=1h")
	seeded := i.seed(t, 100, 40)
	held := i.sweep(t, exitHeld)
	i.publish(t, seeded.Orphans[:3]...)
	s := ask[status](t, i, "status")
	require.Empty(t, s.Errors)
	require.Equal(t, []foundStatus{{Direction: "row", Count: 40, Bytes: 10240, Oldest: s.Found[0].Oldest}}, s.Found)
	require.Len(t, s.Held, 1)
	require.Equal(t, held.ID, s.Held[0].ID)
	require.Nil(t, s.DueIn, "what is held does not become due")
	require.EqualValues(t, 3, s.Queue.Pending)
	require.True(t, s.Stores[0].Bound)
	require.True(t, s.Stores[1].Bound)

	i.drain(t)
	i.client(t, func(_ *nats.Conn, js jetstream.JetStream) {
		_, err := js.Publish(t.Context(), "pruned.orphan.plugin", []byte("{"))
		require.NoError(t, err)
	})
	i.drain(t)
	s = ask[status](t, i, "status")
	require.EqualValues(t, 3, s.Freed.Files)
	require.EqualValues(t, 3, s.Freed.Hour)
	require.NotNil(t, s.Freed.Since)
	require.Zero(t, s.Queue.Pending)
	require.EqualValues(t, 1, s.Queue.DeadLetters)
	require.Equal(t, "bytes", s.Waiting[0].Kind)
	require.EqualValues(t, 3, s.Waiting[0].Count)
	require.InDelta(t, 3600, s.Waiting[0].DueIn, 600)
	require.EqualValues(t, 3, s.Trash.Files)

	out := i.must(t, "status")
	for _, want := range []string{
		`(?m)^database +\S+, postgres\S+$`, `(?m)^vectors +pgvector, bound to this installation$`, `(?m)^uploads +\S+/uploads, bound to this installation$`,
		`(?m)^daemon +none: `, `(?m)^found +37 files that nothing mentions, 9\.3 KiB, the first since \d+s$`, `(?m)^due next +nothing$`,
		`(?m)^held +40 of 100, row of database, since \d+s: 40 of 100 would go`, `(?m)^ +-> pruned sweep --confirm ` + held.ID + `$`,
		`(?m)^waiting +3 objects to remove, the first in (59|60)m$`, `(?m)^trash +3 files of \d+ B can be restored, the oldest was deleted \d+s ago: `, `(?m)^freed +3 files, since \d{4}-\d\d-\d\d$`,
		`(?m)^queue +PRUNED: 0 events pending, 0 unacked$`, "(?m)^dead letters +1: `pruned dead list` tells why$",
	} {
		require.Regexp(t, want, out)
	}
	i.sweep(t, exitDone, "--confirm", held.ID)
	require.Regexp(t, `(?m)^held +none$`, i.must(t, "status"))
}

// What cannot be reached is said in its line, and the rest is shown.
func TestStatusTellsWhatCannotBeReached(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.must(t, "migrate")
	status, out, errs := i.with("DATA_DIR="+t.TempDir(), "NATS_URL=nats://u:p4ssw0rd@127.0.0.1:1").pruned(t, "", "status")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "not everything could be read")
	require.Regexp(t, `(?m)^uploads +cannot be read: `, out)
	require.Regexp(t, `(?m)^queue +cannot be read: connecting to the queue at nats://127.0.0.1:1`, out)
	require.Regexp(t, `(?m)^vectors +pgvector`, out)
	require.Regexp(t, `(?m)^freed +nothing$`, out)

	status, away, _ := bare("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d", "VECTOR_DB=pgvector", "DATA_DIR="+t.TempDir()).pruned(t, "", "status")
	require.Equal(t, exitFailed, status)
	require.Regexp(t, `(?m)^database +cannot be read: connect to PostgreSQL`, away)
	require.Regexp(t, `(?m)^held +not known without the database$`, away)
	require.NotContains(t, out+away, "p4ssw0rd")
}

// A daemon with an embedded queue is asked for both, on the other engine as well.
func TestStatusBesideADaemon(t *testing.T) {
	t.Parallel()
	folder, _ := scratch(t, fmt.Sprint("PRUNED_HTTP=127.0.0.1:", testenv.FreePort(t)))
	server := install(t, testenv.Vectors(small))
	server.seed(t, 20, 2)
	for name, i := range map[string]*installation{"sqlite": folder, "postgres": server.with(fmt.Sprint("PRUNED_HTTP=127.0.0.1:", testenv.FreePort(t)))} {
		d := i.start(t)
		var s status
		require.Eventually(t, func() bool {
			_, out, _ := i.pruned(t, "", "status", "-o", "json")
			s = status{}
			require.NoError(t, json.Unmarshal([]byte(out), &s), out)
			return s.Daemon != nil && s.Daemon.Sweep != nil && s.Daemon.Sweep.At != nil || len(d.ended) > 0
		}, signalTimeout, 40*pollEvery, name)
		require.Empty(t, s.Errors, name)
		require.NotNil(t, s.Daemon.Started, name)
		require.Positive(t, s.Daemon.Sweep.Orphans, name)
		require.False(t, s.Queue.Absent, name)
		require.Regexp(t, `(?m)^last sweep +\d+s ago, in \d+\.\ds: \d+ orphans, \d+ published, \d+ held`, i.must(t, "status"), name)
		require.Zero(t, d.stop(t), name)
	}
}

// --watch looks until it is interrupted, which is no failure.
func TestStatusIsWatched(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &countingOutput{enough: 2, reached: cancel}
	var errs output
	require.Zero(t, run(ctx, []string{"status", "--watch", "-o", "json"}, i.env, strings.NewReader(""), out, &errs), errs.String())
	lines := strings.Split(strings.TrimSpace(out.text.String()), "\n")
	require.Len(t, lines, 2)
	for _, line := range lines {
		require.True(t, json.Valid([]byte(line)), line)
	}
}

// countingOutput calls reached after so many lines.
type countingOutput struct {
	text    bytes.Buffer
	enough  int
	reached func()
}

func (o *countingOutput) Write(p []byte) (int, error) {
	n, err := o.text.Write(p)
	if bytes.Count(o.text.Bytes(), []byte("\n")) >= o.enough {
		o.reached()
	}
	return n, err
}
