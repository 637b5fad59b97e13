package integration

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/prune"
	"pruned/repo/testenv"
)

// breakage is what people do to a database while files are being deleted.
type breakage struct{ name, sql, mend string }

var breakages = []breakage{
	{"no DELETE", `REVOKE DELETE ON file FROM {role}`, `GRANT DELETE ON file TO {role}`},
	{"no UPDATE", `REVOKE UPDATE ON file FROM {role}`, `GRANT UPDATE ON file TO {role}`},
	{"no SELECT on what may mention files", `REVOKE SELECT ON chat FROM {role}`, `GRANT SELECT ON chat TO {role}`},
	{"no SELECT on the chunks", `REVOKE SELECT ON document_chunk FROM {role}`, `GRANT SELECT ON document_chunk TO {role}`},
	{"no DELETE on the chunks", `REVOKE DELETE ON document_chunk FROM {role}`, `GRANT DELETE ON document_chunk TO {role}`},
	{"the chunks behind a view", `ALTER TABLE document_chunk RENAME TO away; CREATE VIEW document_chunk AS SELECT * FROM away`, `DROP VIEW document_chunk; ALTER TABLE away RENAME TO document_chunk`},
	{"table file renamed", `ALTER TABLE file RENAME TO away`, `ALTER TABLE away RENAME TO file`},
	{"table ledger dropped", `ALTER TABLE pruned.ledger RENAME TO away`, `ALTER TABLE pruned.away RENAME TO ledger`},
	{"a column renamed", `ALTER TABLE file RENAME COLUMN path TO away`, `ALTER TABLE file RENAME COLUMN away TO path`},
	{"a policy", `CREATE POLICY mine ON chat USING (false); ALTER TABLE chat ENABLE ROW LEVEL SECURITY`, `ALTER TABLE chat DISABLE ROW LEVEL SECURITY`},
}

// installAs is an installation that pruned uses under a role of its own.
func installAs(t *testing.T) (i *fixture.Installation, role string) {
	t.Helper()
	d := testenv.New(t, testenv.Vectors(fixture.SmallVectors))
	role = "role_of_" + d.Name
	d.Exec(t, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN; GRANT CREATE ON DATABASE %[2]s TO %[1]s;
		GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %[1]s`, role, d.Name))
	t.Cleanup(func() { d.Exec(t, fmt.Sprintf(`DROP OWNED BY %[1]s CASCADE; DROP ROLE %[1]s`, role)) })
	u, err := url.Parse(d.URL)
	require.NoError(t, err)
	u.User = url.User(role)
	own := *d
	own.URL = u.String()
	return fixture.InstallOn(t, &own), role
}

// disturbed is a consumer, with its handler.
type disturbed struct {
	*consumer.Consumer
	*pausing
}

// draining drains a queue of events about files in batches of ten. After the
// first batch it does disturb, and goes on.
func draining(t *testing.T, i *fixture.Installation, files []string, disturb func(d *disturbed, resume func())) consumer.Summary {
	t.Helper()
	q := fixture.OpenQueue(t)
	fixture.Publish(t, q, fixture.EventsAbout(files...))
	h := newPausing(prune.NewHandler(i.NewTransaction(), 10, time.Minute, fixture.Log(t)))
	d := &disturbed{pausing: h}
	d.Consumer = fixture.Quick(t, q, h, consumer.Options{Drain: true,
		Ready: func(ctx context.Context) error { return i.DB.IndexAll(ctx, nil) },
		Due:   i.NewReaper(t).Due,
	})
	ended := make(chan consumer.Summary, 1)
	go func() {
		sum, err := d.Run(fixture.Context(t))
		if err != nil {
			t.Error(err)
		}
		ended <- sum
	}()
	fixture.Await(t, h.handled)
	disturb(d, func() { close(h.resume) })
	return fixture.Await(t, ended)
}

func TestBrokenEnvironmentIsNoPoison(t *testing.T) {
	t.Parallel()
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			i, role := installAs(t)
			files := i.AddFiles(t, 30)
			i.RefreshIndex(t)
			sum := draining(t, i, files, func(d *disturbed, resume func()) {
				i.Exec(t, strings.ReplaceAll(b.sql, "{role}", role))
				resume()
				require.Eventually(t, func() bool { return d.State() != nil }, fixture.Patience, fixture.PollEvery)
				i.Exec(t, strings.ReplaceAll(b.mend, "{role}", role))
			})
			require.Equal(t, 30, sum.Deleted, "%+v", sum)
			require.Equal(t, 30, sum.Events, "%+v", sum)
			for _, file := range files {
				require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
				require.Equal(t, 1, i.CountRecords(t, file))
			}
		})
	}
}

// What we begin is READ WRITE, whatever the default.
func TestReadOnlyByDefaultIsNoObstacle(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	files := i.AddFiles(t, 30)
	i.RefreshIndex(t)
	sum := draining(t, i, files, func(_ *disturbed, resume func()) {
		i.Exec(t, fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_read_only = on`, i.Name))
		i.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		resume()
	})
	require.Equal(t, 30, sum.Deleted, "%+v", sum)
	require.Zero(t, sum.Poison)
}
