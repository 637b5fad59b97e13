package testenv_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestKilledServerRecoversWhatWasCommitted(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{})
	db := server.New(t)
	file, conn := testenv.NewFile(t, db.Pool), db.Conn(t)
	require.NoError(t, server.Kill())
	require.Error(t, conn.Ping(t.Context()), "the connection died with the server")
	require.NoError(t, server.Restart(t.Context()))
	require.Equal(t, []string{file}, fileIDs(t, db.URL))
	require.NoError(t, server.Restart(t.Context()))
	require.Equal(t, []string{file}, fileIDs(t, db.URL))
}

func TestServerTakesSettings(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{Empty: true, Settings: []string{"wal_level=logical"}})
	db := server.New(t, testenv.Empty())
	require.Equal(t, "logical", testenv.Value[string](t, db, "SHOW wal_level"))
}

func TestStandbyRefusesWritesUntilPromoted(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{})
	db := server.New(t)
	file := testenv.NewFile(t, db.Pool)
	standby := server.NewStandby(t)
	url := standby.URL(db.Name)
	require.Equal(t, []string{file}, fileIDs(t, url))
	conn := connect(t, url)
	_, err := conn.Exec(t.Context(), "DELETE FROM file")
	require.ErrorContains(t, err, "read-only transaction")
	require.NoError(t, standby.Promote(t.Context()))
	_, err = conn.Exec(t.Context(), "DELETE FROM file")
	require.NoError(t, err)
}

func TestDumpRestoresIntoAnotherServer(t *testing.T) {
	t.Parallel()
	db := testenv.New(t)
	file := testenv.NewFile(t, db.Pool)
	dump, err := db.Server.Dump(t.Context(), db.Name)
	require.NoError(t, err)
	other := testenv.NewServer(t, testenv.ServerOptions{Empty: true})
	url, err := other.Restore(t.Context(), dump)
	require.NoError(t, err)
	require.Equal(t, []string{file}, fileIDs(t, url))
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func fileIDs(t *testing.T, url string) []string {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), "SELECT id FROM file")
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return ids
}
