package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// diagnose runs doctor, which may find something wrong.
func (i *installation) diagnose(t *testing.T, args ...string) (d diagnosis) {
	t.Helper()
	status, out, errs := i.pruned(t, "", append([]string{"doctor", "-o", "json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(out), &d), errs)
	require.Equal(t, d.OK, status == exitDone)
	return d
}

// What only fails when it is done doctor finds by doing it, and rolls back.
func TestDoctorTriesASweep(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	i.must(t, "migrate")
	testenv.NewFile(t, i.Pool)
	d := i.diagnose(t)
	require.True(t, d.OK)
	require.Equal(t, "a dry sweep finds 1 orphan of 1 file", d.of(t, "sweep").Detail)
	require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate`))
	i.Exec(t, `
		CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
		CREATE TRIGGER never BEFORE INSERT ON pruned.candidate FOR EACH ROW EXECUTE FUNCTION never()`)
	d = i.diagnose(t)
	require.False(t, d.OK)
	require.Contains(t, d.of(t, "sweep").Detail, "a dry sweep fails")

	folder, _ := scratch(t)
	folder.sweep(t, exitHeld)
	d = folder.diagnose(t)
	require.True(t, d.OK)
	require.Contains(t, d.of(t, "sweep").Detail, "a dry sweep finds")
}

// A queue that answers, and stores nothing, is not well; nor is it for a health check.
func TestDoctorTriesTheQueue(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.publish(t)
	for _, args := range [][]string{nil, {"--quick"}} {
		require.True(t, i.diagnose(t, args...).of(t, "queue stores").OK)
	}
	i.client(t, func(_ *nats.Conn, js jetstream.JetStream) {
		stream, err := js.Stream(t.Context(), "PRUNED")
		require.NoError(t, err)
		require.Zero(t, stream.CachedInfo().State.Msgs, "nothing is left of it")
		sealed := stream.CachedInfo().Config
		sealed.Sealed = true
		_, err = js.UpdateStream(t.Context(), sealed)
		require.NoError(t, err)
	})
	for _, args := range [][]string{nil, {"--quick"}} {
		d := i.diagnose(t, args...)
		require.False(t, d.OK)
		require.Contains(t, d.of(t, "queue stores").Detail, "stream PRUNED stores nothing")
	}
}

// What fails in a daemon nobody else can see: doctor asks it.
func TestDoctorAsksTheDaemon(t *testing.T) {
	t.Parallel()
	address := fmt.Sprint("127.0.0.1:", testenv.FreePort(t))
	i := install(t, testenv.Vectors(small)).with("PRUNED_HTTP=" + address)
	i.must(t, "migrate")
	i.seed(t, 1, 0)
	require.Contains(t, i.diagnose(t, "--quick").of(t, "daemon").Detail, "none answers")
	d := i.start(t)
	d.becomes(t, http.StatusOK, "")
	require.Equal(t, "ready", i.diagnose(t, "--quick").of(t, "daemon").Detail)
	other := install(t, testenv.Vectors(small)).with("PRUNED_HTTP=" + address)
	require.Contains(t, other.diagnose(t, "--quick").of(t, "daemon").Detail, "another installation's")
	require.NoError(t, os.Rename(i.uploads(), i.uploads()+".away"))
	d.becomes(t, http.StatusServiceUnavailable, "uploads")
	for _, args := range [][]string{nil, {"--quick"}} {
		found := i.diagnose(t, args...)
		require.False(t, found.OK)
		require.Contains(t, found.of(t, "daemon").Detail, "not ready: uploads")
	}
	require.Zero(t, d.stop(t))
}

// A health check that finds no daemon to ask says by itself what no sweep succeeds
// without: the privileges, the stores.
func TestDoctorQuickTellsTheTruthWithoutADaemon(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	role := "quick_of_" + i.Name
	i.Exec(t, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() {
		i.Exec(t, `DROP OWNED BY `+role+` CASCADE`)
		i.Exec(t, `DROP ROLE `+role)
	})
	for _, statement := range ask[[]string](t, i, "doctor", "--grants", role) {
		i.Exec(t, statement)
	}
	limited := i.with("DATABASE_URL=" + strings.Replace(i.URL, "postgres@", role+"@", 1))
	limited.must(t, "migrate")
	d := limited.diagnose(t, "--quick")
	require.True(t, d.OK)
	require.True(t, d.of(t, "privileges").OK)
	i.Exec(t, `REVOKE SELECT ON note FROM `+role)
	d = limited.diagnose(t, "--quick")
	require.False(t, d.OK)
	require.Contains(t, d.of(t, "privileges").Remedy, "GRANT SELECT")
	require.Contains(t, d.of(t, "privileges").Remedy, "note")

	away := i.with("VECTOR_DB=chroma", "CHROMA_HTTP_HOST=http://127.0.0.1:1")
	require.False(t, away.diagnose(t, "--quick").of(t, "vectors").OK)
	require.NoError(t, os.Rename(i.uploads(), i.uploads()+".away"))
	require.False(t, i.diagnose(t, "--quick").of(t, "uploads").OK)
}
