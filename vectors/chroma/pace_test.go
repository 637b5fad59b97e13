package chroma

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPaceOfTransactions(t *testing.T) {
	t.Parallel()
	p := pace{rows: 100}
	require.Equal(t, 2*time.Second, p.restAfter(time.Second), "somebody may write")
	p.adjustRows(2 * holdTarget)
	require.Equal(t, 50, p.rows)

	p = pace{rows: 100, looks: 2}
	p.adjustRows(aloneTarget)
	require.Equal(t, 100, p.rows, "nobody else writes")
	p.commit = 10 * aloneTarget
	p.adjustRows(p.commit + aloneTarget/4)
	require.Equal(t, 200, p.rows, "fewer would not spare the commit")
	require.Equal(t, aloneRest, p.restAfter(aloneTarget))

	p.beside = time.Now().Add(time.Hour)
	p.adjustRows(p.commit + aloneTarget/4)
	require.Equal(t, fewRows, p.rows, "somebody waits for it")
	require.Equal(t, 2*time.Second, p.restAfter(time.Second))
}

// sqliteTries is when SQLite tries for a lock that it does not get at once.
var sqliteTries = []time.Duration{0, 1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, 328, 428, 528, 628}

// Whoever begins to wait while nobody else writes gets the lock in the next pause, whenever
// that was.
func TestWhoeverComesFindsAPause(t *testing.T) {
	t.Parallel()
	p := pace{looks: 2}
	for held := time.Millisecond; held < 400*time.Millisecond; held += time.Millisecond {
		for since := range held / time.Millisecond {
			begins, found := held-since*time.Millisecond, false
			for _, try := range sqliteTries {
				at := try * time.Millisecond
				found = found || at >= begins && at <= begins+p.restAfter(held)
			}
			require.True(t, found, "held for %s, waited for since %d ms of that", held, since)
		}
	}
}

func TestOthersWhoWriteAreNoticed(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"DELETE", "WAL"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), databaseFile)
			other, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)&_pragma=journal_mode("+journal+")")
			require.NoError(t, err)
			defer func() { require.NoError(t, other.Close()) }()
			_, err = other.Exec("CREATE TABLE t (n)")
			require.NoError(t, err)
			db, err := sql.Open("sqlite", connectionURI(path, busyPatience))
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close()) }()

			s := &session{conn: conn}
			insert := func(tx *transaction) error { return tx.exec("INSERT INTO t VALUES (1)") }
			for looks := range 3 {
				require.Equal(t, looks > 1, s.pace.isAlone(), "only we wrote")
				_, err = s.inTxAndRest(t.Context(), insert)
				require.NoError(t, err)
			}
			_, err = other.Exec("INSERT INTO t VALUES (2)")
			require.NoError(t, err)
			_, err = s.inTxAndRest(t.Context(), insert)
			require.NoError(t, err)
			require.NotZero(t, s.pace.beside)
		})
	}
}
