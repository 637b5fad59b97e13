package mariadb_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/mariadb"
	"pruned/vectors/vectorstest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		return newDatabase(t, testenv.SharedMariaDB(t)).fixture(t)
	})
}

// The collation takes these for one: only what was named goes, and each is listed.
func TestNamesThatTheCollationTakesForOne(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, testenv.SharedMariaDB(t))
	store := d.store(t)
	names := []string{"user-memory-team", "user-memory-Team", "user-memory-Téam", "user-memory-team ", "user-memory-TEAM"}
	for i, name := range names {
		d.insert(t, vectorstest.Chunk{ID: fmt.Sprint("m", i), Collection: name}, vectorstest.Chunk{ID: fmt.Sprint("n", i), Collection: name},
			vectorstest.Chunk{ID: fmt.Sprint("f", i), Collection: "file-" + name}, vectorstest.Chunk{ID: fmt.Sprint("k", i), Collection: vectorstest.Base, FileID: name})
	}
	var count int
	require.NoError(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM document_chunk WHERE collection_name = 'user-memory-team'").Scan(&count))
	require.Equal(t, 2*len(names), count, "for the database they are one")
	var listed []string
	for c, err := range store.ListCollections(t.Context()) {
		require.NoError(t, err)
		if strings.HasPrefix(c.Name, "user-memory-") {
			listed = append(listed, c.Name)
			require.EqualValues(t, 2, c.Chunks)
		}
	}
	require.ElementsMatch(t, names, listed)
	left := d.left(t)
	for i, name := range names {
		removed, err := store.RemoveCollections(t.Context(), nil, []string{name}, vectors.AllowAll)
		require.NoError(t, err)
		require.Equal(t, vectors.Removed{Chunks: 2}, removed)
		removed, err = store.Remove(t.Context(), nil, []string{name})
		require.NoError(t, err)
		require.Equal(t, vectors.Removed{Chunks: 2}, removed)
		left = without(left, fmt.Sprint("m", i), fmt.Sprint("n", i), fmt.Sprint("f", i), fmt.Sprint("k", i))
		require.ElementsMatch(t, left, d.left(t), name)
	}
}

func without(list []string, gone ...string) (rest []string) {
	for _, one := range list {
		if !strings.Contains(" "+strings.Join(gone, " ")+" ", " "+one+" ") {
			rest = append(rest, one)
		}
	}
	return rest
}

// What the application has changed and not committed the removal waits for, and finds what
// else it wrote meanwhile.
func TestWaitsForTheApplication(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, testenv.SharedMariaDB(t))
	d.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a"}, vectorstest.Chunk{ID: "2", Collection: "file-b"})
	store := d.store(t)
	application, err := d.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = application.ExecContext(t.Context(), "INSERT INTO document_chunk (id, embedding, collection_name) VALUES ('3', VEC_FromText(?), 'file-a')", direction())
	require.NoError(t, err)
	_, err = application.ExecContext(t.Context(), "UPDATE document_chunk SET text = 'other' WHERE id = '1'")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := store.Remove(context.WithoutCancel(t.Context()), nil, []string{"a"})
		done <- err
	}()
	require.Eventually(t, func() bool {
		var waiting int
		err := d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = ?", d.name).Scan(&waiting)
		return err == nil && waiting > 0
	}, time.Minute, 300*time.Millisecond) // what is read more often than ten times a second is not renewed
	require.NoError(t, application.Commit())
	require.NoError(t, <-done)
	require.Equal(t, []string{"2"}, d.left(t))
}

// A server that is killed in the middle of a set loses nothing that was to stay, and what
// was left goes when it is back.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	server := testenv.StartMariaDB(t)
	d := newDatabase(t, server)
	vectorstest.SurviveKill(t, d.fixture(t), func() { server.Kill(t) }, func() { server.Restart(t) })

	d.exec(t, "SET GLOBAL read_only = 1") // it is no administrator who is refused
	d.exec(t, "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'r'")
	d.exec(t, "GRANT SELECT, DELETE ON "+d.name+".* TO reader@'127.0.0.1'")
	require.ErrorContains(t, newStore(t, strings.Replace(d.url, testenv.MariaDBUser+":"+testenv.MariaDBPassword, "reader:r", 1)).Check(t.Context()), "read-only")
}

// What cannot be reached, or is not what it should be, is nobody's fault, and is never
// taken for an empty store; a table that the application has not made yet is one.
func TestUnusable(t *testing.T) {
	t.Parallel()
	server := testenv.SharedMariaDB(t)
	d := newDatabase(t, server)
	d.exec(t, "DROP TABLE document_chunk")
	store := d.store(t)
	require.NoError(t, store.Check(t.Context()))
	removed, err := store.Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.Zero(t, removed)
	d.exec(t, "CREATE TABLE document_chunk (id varchar(100), collection_name varchar(100))")
	for name, url := range map[string]string{
		"another's table": d.url,
		"away":            "mariadb+mariadbconnector://me:s3cret@127.0.0.1:1/vectors",
		"no such user":    strings.Replace(d.url, testenv.MariaDBPassword, "wr0ng", 1),
		"no database":     strings.Replace(d.url, d.name, "nowhere", 1),
		"unknown signer":  newDatabase(t, server).url + "?ssl=true&ssl_verify_cert=true",
	} {
		store := newStore(t, url)
		err := store.Check(t.Context())
		require.ErrorIs(t, err, vectors.ErrUnusable, name)
		require.NotContains(t, err.Error(), "s3cret")
		require.NotContains(t, err.Error(), "wr0ng")
		_, err = store.Remove(t.Context(), nil, []string{"a"})
		require.ErrorIs(t, err, vectors.ErrUnusable, name)
		if name == "another's table" {
			continue // of which the names alone can be read
		}
		for _, err = range store.Files(t.Context()) {
			require.ErrorIs(t, err, vectors.ErrUnusable, name)
		}
		require.Error(t, err, name)
	}
}

// The server's certificate is its own: without one to compare it with it is enough.
func TestTLS(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, testenv.SharedMariaDB(t))
	d.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a"})
	removed, err := newStore(t, d.url+"?ssl=true").Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 1}, removed)
}

// Without the right to lock the table rows go one by one.
func TestRights(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, testenv.SharedMariaDB(t))
	user := "u" + d.name[:20]
	d.exec(t, "CREATE USER "+user+"@'127.0.0.1' IDENTIFIED BY 'pass'")
	d.exec(t, "GRANT SELECT ON "+d.name+".document_chunk TO "+user+"@'127.0.0.1'")
	address := strings.Replace(d.url, testenv.MariaDBUser+":"+testenv.MariaDBPassword, user+":pass", 1)
	require.ErrorContains(t, newStore(t, address).Check(t.Context()), "GRANT SELECT, DELETE ON document_chunk")
	d.exec(t, "GRANT DELETE ON "+d.name+".document_chunk TO "+user+"@'127.0.0.1'")
	d.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a"}, vectorstest.Chunk{ID: "2", Collection: "file-a"}, vectorstest.Chunk{ID: "3", Collection: "file-b"})
	store := newStore(t, address)
	require.NoError(t, store.Check(t.Context()))
	removed, err := store.Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 2}, removed)
	require.Equal(t, []string{"3"}, d.left(t))
	d.exec(t, "DROP USER "+user+"@'127.0.0.1'")
}

func TestGuardFails(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, testenv.SharedMariaDB(t))
	d.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a", FileID: "a"})
	away := errors.New("the database is away")
	_, err := d.store(t).RemoveGuarded(t.Context(), []string{"a"}, func(context.Context, []string) ([]string, error) { return nil, away })
	require.ErrorIs(t, err, away)
	require.NotErrorIs(t, err, vectors.ErrUnusable)
	require.Equal(t, []string{"1"}, d.left(t))
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"mariadb+mariadbconnector://me:s3cret@host/vectors":      "mariadb at host:3306, database vectors",
		"mariadb+mariadbconnector://me:s3cret@host:3307/vectors": "mariadb at host:3307, database vectors",
		"mariadb+mariadbconnector://me@/vectors?unix_socket=/s":  "mariadb at /s, database vectors",
	} {
		store := newStore(t, address)
		require.Equal(t, vectors.Info{Name: want}, store.Info())
		require.NotContains(t, fmt.Sprint(store), "s3cret")
	}
	for _, address := range []string{"", "mysql://me:s3cret@host/d", "mariadb+mariadbconnector://me:s3cret@host", "mariadb+mariadbconnector://me:s3cret@host:port/d",
		"mariadb+mariadbconnector://me:s3cret@host/d?ssl_ca=" + url.QueryEscape(t.TempDir()+"/none")} {
		_, err := mariadb.New(t.Context(), mariadb.Options{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "s3cret")
	}
}
