package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/loop"
	"pruned/repo/testenv"
)

// permitted is an installation whose user of a NATS server may do what p says.
func permitted(t *testing.T, p consumer.Permissions) *installation {
	t.Helper()
	nats := startNATSWith(t, &server.Options{Users: []*server.User{{Username: "pruned", Password: "s3cret", Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: p.Publish}, Subscribe: &server.SubjectPermission{Allow: p.Subscribe},
	}}}})
	return install(t).with(natsURL(nats, "s3cret"), "PRUNED_MAX_FRACTION=1", "PRUNED_DELETED_EVENTS=true", "PRUNED_WEBHOOK_TOKEN="+hookToken)
}

// useQueue has every command do to the queue what it can, and returns what was logged. Where
// something is not permitted a command may fail.
func useQueue(t *testing.T, i *installation) (logged string) {
	t.Helper()
	orphans := i.seed(t, 6, 6).Orphans
	i.Exec(t, fmt.Sprintf(obstacles[0].sql, orphans[0]))
	young := i.with("PRUNED_MIN_AGE=1h")
	fresh := testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: time.Now()}).ID
	do := func(i *installation, stdin string, args ...string) { logged += untilInterrupted(t, i, stdin, args...) }
	do(i, strings.Join(orphans, "\n"), "publish")
	do(i, "", "status") // of the oldest that waits
	do(young, fresh, "publish")
	do(young, "", "run", "--drain")
	for _, args := range [][]string{
		{"run", "--once"}, {"doctor"}, {"status"}, {"pause"}, {"rate", "5/s"}, {"status"}, {"resume"}, {"rate", "reset"}, {"dead", "list"}, {"dead", "redrive"},
		{"run", "--drain"}, {"replay", "--dead"}, {"dead", "purge"}, {"trace", orphans[0]},
	} {
		do(i, "", args...)
	}
	logged += serveOnce(t, i, orphans[2])
	do(i.with("PRUNED_RETENTION=100h"), "", "run", "--once") // which changes every stream
	do(i, "", "uninstall", "--yes")
	return logged
}

// patience is how long a command may wait for what does not come, until a person interrupts it:
// those that wait for outcomes do so as long as it takes.
const patience = time.Minute

func untilInterrupted(t *testing.T, i *installation, stdin string, args ...string) (logged string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, logged = i.prunedUntil(ctx, t, stdin, args...)
	return logged
}

// hintOnce has the application tell of something once the daemon works, and waits for the
// sweep that this asks for.
func hintOnce(t *testing.T, d *daemon) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for sweeps := 1; sweeps <= 2; sweeps++ {
		for strings.Count(d.errs.String(), `"message":"sweep"`) < sweeps {
			if len(d.ended) > 0 || !loop.Sleep(ctx, 50*time.Millisecond) {
				return
			}
		}
		if sweeps == 1 {
			d.post(t, `{"id":"1","event":"chat.deleted"}`)
		}
	}
}

// serveOnce runs the daemon for as long as an event and a hint take.
func serveOnce(t *testing.T, i *installation, id string) (logged string) {
	t.Helper()
	d := i.startUntil(t, func(d *daemon) bool {
		return strings.Contains(d.errs.String(), `"listening"`) || strings.Contains(d.errs.String(), "up to date")
	})
	if len(d.ended) == 0 {
		hintOnce(t, d)
		logged += untilInterrupted(t, i, "", "publish", "--wait", id)
	}
	d.stop(t)
	return logged + d.errs.String()
}

var violation = regexp.MustCompile(`(?i)permissions violation for (?:publish|subscription) to \\?"([^"\\]+)`)

func violations(logged string) (subjects []string) {
	for _, match := range violation.FindAllStringSubmatch(logged, -1) {
		subjects = append(subjects, match[1])
	}
	slices.Sort(subjects)
	return slices.Compact(subjects)
}

// With exactly what doctor prints everything works.
func TestNATSPermissionsAreEnough(t *testing.T) {
	t.Parallel()
	printed := ask[consumer.Permissions](t, install(t), "doctor", "--nats-permissions")
	require.Empty(t, violations(useQueue(t, permitted(t, printed))))
}

// permissionsVariable has each permission taken back in turn, which takes an hour of waiting
// for answers that do not come.
const permissionsVariable = "PRUNED_TEST_PERMISSIONS"

// seldomAsked are requests that no command of useQueue makes: where the queue is nearly full, and
// where another release of this program wants another bucket.
var seldomAsked = []string{"$JS.API.CONSUMER.LIST.PRUNED", "$JS.API.STREAM.PURGE.PRUNED", "$JS.API.STREAM.UPDATE.KV_PRUNED_CONTROL"}

// What is not permitted is named in the log.
func TestNATSPermissionsAreNamed(t *testing.T) {
	t.Parallel()
	all, err := consumer.PermissionsOf("PRUNED")
	require.NoError(t, err)
	for n, without := range all.Publish {
		if os.Getenv(permissionsVariable) == "" && without != "$JS.API.STREAM.MSG.DELETE.PRUNED" || slices.Contains(seldomAsked, without) {
			continue
		}
		t.Run(without, func(t *testing.T) {
			t.Parallel()
			p := consumer.Permissions{Publish: slices.Delete(slices.Clone(all.Publish), n, n+1), Subscribe: all.Subscribe}
			i := permitted(t, p)
			var logged string
			if os.Getenv(permissionsVariable) == "" {
				i.must(t, "publish")
				_, _, logged = i.pruned(t, "", "doctor", "--quick")
			} else {
				logged = useQueue(t, i)
			}
			named := violations(logged)
			require.NotEmpty(t, named)
			for _, subject := range named {
				require.True(t, server.SubjectsCollide(subject, without), subject)
			}
		})
	}
}
