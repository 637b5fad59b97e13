package postgres_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/postgres/refindex"
	"pruned/repo/testenv"
)

// sweep does the steps of a sweep, with what the upload folder lists.
func sweep(t testing.TB, db *postgres.DB, objects ...string) {
	t.Helper()
	require.NoError(t, trySweep(t, db, objects...))
}

func trySweep(t testing.TB, db *postgres.DB, objects ...string) error {
	t.Helper()
	ctx := t.Context()
	var listed []repo.Listed
	for _, id := range objects {
		listed = append(listed, repo.Listed{FileID: id, Name: id + "_report.pdf", Size: 1, Age: 30 * 24 * time.Hour})
	}
	if err := db.IndexAll(ctx, nil); err != nil {
		return err
	}
	return db.InTx(ctx, nil, func(tx repo.Tx) error {
		number, err := db.BeginSweep(ctx, tx)
		require.NoError(t, err)
		if err := db.UpsertRowCandidates(ctx, tx, number); err != nil {
			return err
		}
		if err := db.UpsertListed(ctx, tx, number, repo.FromBytes, "uploads", listed); err != nil {
			return err
		}
		return db.DropStale(ctx, tx, number, repo.FromBytes)
	})
}

func candidates(t testing.TB, db *postgres.DB, d repo.Direction, ages repo.Ages) map[string]repo.Candidate {
	t.Helper()
	all := map[string]repo.Candidate{}
	inTx(t, db, func(tx repo.Tx) {
		page, err := db.ListCandidates(t.Context(), tx, d, ages, "", 1000)
		require.NoError(t, err)
		for _, c := range page {
			all[c.FileID] = c
		}
	})
	return all
}

// Where no chat is there at all, the chats of links are still to come.
func TestLinksCountWhileThereIsNoChat(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'c', $1, 1, 1)`, ids[0])
	sweep(t, db)
	require.Equal(t, []string{ids[1]}, slices.Collect(maps.Keys(candidates(t, db, repo.FromRows, repo.Ages{}))))
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	sweep(t, db)
	require.Len(t, candidates(t, db, repo.FromRows, repo.Ages{}), 2)
}

// A candidate is described when it is found, or once it has a row again: nobody reads its meta
// for its size after that.
func TestCandidatesAreDescribedOnce(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := newFiles(t, d, 1)[0]
	d.Exec(t, `UPDATE file SET meta = '{"size": 11}'`)
	refresh(t, db)
	mark := func() {
		inTx(t, db, func(tx repo.Tx) { require.NoError(t, db.UpsertRowCandidates(t.Context(), tx, 1)) })
	}
	size := func() int64 { return candidates(t, db, repo.FromRows, repo.Ages{})[id].Size }
	described := func() string {
		return testenv.Value[string](t, d, `SELECT coalesce((c.made_at = to_timestamp(f.created_at))::text || c.size, 'no')
			FROM pruned.candidate c LEFT JOIN file f ON f.id = c.file_id`)
	}
	d.Exec(t, `UPDATE file SET id = 'another'`)
	mark()
	require.Equal(t, "no", described())
	d.Exec(t, `UPDATE file SET id = $1`, id)
	require.EqualValues(t, 11, size())
	mark()
	require.Equal(t, "true11", described())
	d.Exec(t, `DELETE FROM pruned.candidate`)
	mark()
	require.Equal(t, "true11", described())
	d.Exec(t, `UPDATE file SET meta = '{"size": 12}'`)
	require.EqualValues(t, 11, size())
}

// What the index says of rows that vanished is forgotten once an hour; what it
// says of dead ones is not, since they live again without a new version.
func TestVanishedRowsAreForgotten(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 3)
	insertMention(t, d, ids[0])
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'c', $1, 1, 1)`, ids[1])
	d.Exec(t, `INSERT INTO tag (id, user_id, name) VALUES ('t', 'u', $1)`, ids[2])
	sweep(t, db)
	require.Len(t, candidates(t, db, repo.FromRows, repo.Ages{}), 1)
	d.Exec(t, `DELETE FROM note; DELETE FROM tag`)
	sweep(t, db)
	require.Len(t, candidates(t, db, repo.FromRows, repo.Ages{}), 3)
	const references = `SELECT file_id FROM pruned.reference`
	require.Len(t, testenv.Column[string](t, d, references), 3)
	d.Exec(t, `UPDATE pruned.state SET tidied_at = tidied_at - interval '1 hour'`)
	sweep(t, db)
	require.Equal(t, ids[1:2], testenv.Column[string](t, d, references))
	require.Len(t, candidates(t, db, repo.FromRows, repo.Ages{}), 3)
}

// An index that is made anew believes no clock of its files; what stores list
// needs none. Nobody of this installation confirmed anything, or reported it.
func TestAnewAnIndexKeepsWhatStoresList(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	id := testenv.NewFile(t, d.Pool)
	sweep(t, db, "lost")
	rows, bytes := candidates(t, db, repo.FromRows, repo.Ages{}), candidates(t, db, repo.FromBytes, repo.Ages{})
	inTx(t, db, func(tx repo.Tx) {
		for _, h := range []repo.Hold{
			{ID: "h", Direction: repo.FromBytes, Store: "s"}, {ID: "other", Direction: repo.FromRows, Store: "database"},
		} {
			_, err := db.SetHold(t.Context(), tx, h)
			require.NoError(t, err)
		}
		_, err := db.ConfirmHold(t.Context(), tx, "h", nil)
		require.NoError(t, err)
		require.NoError(t, db.MarkEnqueued(t.Context(), tx, repo.FromBytes, []string{"lost"}))
	})
	d.Exec(t, `UPDATE pruned.state SET identity = 'another'`)
	refresh(t, db)
	require.Empty(t, candidates(t, db, repo.FromRows, repo.Ages{}))
	held, err := db.ListHolds(t.Context())
	require.NoError(t, err)
	require.Empty(t, held)
	sweep(t, db, "lost")
	require.True(t, candidates(t, db, repo.FromRows, repo.Ages{})[id].Since.After(rows[id].Since))
	again := candidates(t, db, repo.FromBytes, repo.Ages{})["lost"]
	require.Equal(t, bytes["lost"].Since, again.Since)
	require.False(t, again.Confirmed)
	require.Zero(t, again.EnqueuedFor)
}

// A copy of the database is another installation, whose stores nobody has bound.
func TestACopyIsNotBound(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	inTx(t, db, func(tx repo.Tx) {
		_, err := db.SetHold(t.Context(), tx, repo.Hold{ID: "h", Direction: repo.FromBytes, Store: "bucket"})
		require.NoError(t, err)
		_, err = db.ConfirmHold(t.Context(), tx, "h", nil)
		require.NoError(t, err)
	})
	isBound := func() (bound bool) {
		inTx(t, db, func(tx repo.Tx) {
			var err error
			_, bound, err = db.StoreApproval(t.Context(), tx, "bucket")
			require.NoError(t, err)
		})
		return bound
	}
	require.True(t, isBound())
	d.Exec(t, `UPDATE pruned.binding SET identity = 'of the original'`)
	require.False(t, isBound())
}

// An index that is incomplete, or another database's, marks nothing.
func TestSweepRefusesAnIncompleteIndex(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	newFiles(t, d, 1)
	mark := func() error {
		return db.InTx(t.Context(), nil, func(tx repo.Tx) error { return db.UpsertRowCandidates(t.Context(), tx, 1) })
	}
	require.ErrorIs(t, mark(), refindex.ErrIncomplete)
	refresh(t, db)
	require.NoError(t, mark())
	d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v text)`)
	require.ErrorIs(t, mark(), refindex.ErrIncomplete)
	refresh(t, db)
	require.NoError(t, mark())
	d.Exec(t, `UPDATE pruned.state SET identity = 'another'`)
	err := mark()
	require.ErrorIs(t, err, refindex.ErrIncomplete)
	require.Equal(t, repo.Environment, repo.KindOf(err))
}

// An event of which nothing came for an hour is lost, and a lease ends by the
// server's clock.
func TestClaimsAndLeasesEnd(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	sweep(t, db, "lost")
	inTx(t, db, func(tx repo.Tx) {
		require.NoError(t, db.MarkEnqueued(t.Context(), tx, repo.FromBytes, []string{"lost"}))
	})
	next := func() bool {
		_, found, err := db.NextCandidate(t.Context(), repo.Ages{})
		require.NoError(t, err)
		return found
	}
	d.Exec(t, `UPDATE pruned.candidate SET claimed_at = claimed_at - interval '59 minutes'`)
	require.InDelta(t, 59*60, candidates(t, db, repo.FromBytes, repo.Ages{})["lost"].EnqueuedFor.Seconds(), 59)
	require.False(t, next())
	d.Exec(t, `UPDATE pruned.candidate SET claimed_at = claimed_at - interval '1 minute'`)
	require.Zero(t, candidates(t, db, repo.FromBytes, repo.Ages{})["lost"].EnqueuedFor)
	require.True(t, next())

	lead := func(holder string) bool {
		got, err := db.AcquireLease(t.Context(), holder, time.Hour)
		require.NoError(t, err)
		return got
	}
	require.True(t, lead("a"))
	require.False(t, lead("b"))
	d.Exec(t, `UPDATE pruned.lease SET until = until - interval '1 hour'`)
	require.True(t, lead("b"))
	require.False(t, lead("a"))
}

// A row is due when the judge of an event would let it go: at the end of the time
// that Lock measures, and of that since it is known to be unreferenced.
func TestRowsAreDueAsLockMeasures(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ages := repo.Ages{Min: 10 * time.Hour, Pending: 50 * time.Hour, Orphan: 5 * time.Hour}
	var ids []string
	// Rounded up, a time would be in the future, and no more while the rows are read twice.
	for i, status := range []string{"completed", "pending", "processing", "none"} {
		for j, age := range []string{"NULL", "-1", "0", "3", "9", "11", "30", "49", "51", "500"} {
			id := fmt.Sprintf("file.%d.%d", i, j)
			ids = append(ids, id)
			d.Exec(t, `INSERT INTO file (id, user_id, filename, data, meta, created_at, updated_at)
				VALUES ($1, 'u', 'f', json_build_object('status', $2::text), '{}', floor(extract(epoch FROM now())) - 3600 * `+age+`, floor(extract(epoch FROM now())) - 1800 * `+age+`)`, id, status)
		}
	}
	sweep(t, db)
	d.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - random() * interval '20 hours'`)
	for range 2 {
		found := candidates(t, db, repo.FromRows, ages)
		var ripe int64
		inTx(t, db, func(tx repo.Tx) {
			locked, err := db.Lock(t.Context(), tx, ids, ages)
			require.NoError(t, err)
			require.Len(t, locked.Files, len(ids))
			for _, f := range locked.Files {
				require.InDelta(t, max(f.EligibleIn, ages.Orphan-f.UnreferencedFor).Seconds(), found[f.ID].DueIn.Seconds(), 60, f.ID)
				require.InDelta(t, f.Age.Seconds(), found[f.ID].Age.Seconds(), 60, f.ID)
				if f.EligibleIn <= 0 {
					ripe++
				}
			}
			census, err := db.CountCandidates(t.Context(), tx, repo.FromRows, ages, 0)
			require.NoError(t, err)
			require.Equal(t, repo.CandidateCount{Total: int64(len(ids)), Found: ripe}, census)
		})
	}
}

// Each step is a transaction of its own, on whatever session the pooler gives.
func TestSweepBehindAPooler(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	address := testenv.PgBouncer(t, d)
	db := openWith(t, postgres.Options{URL: address})
	ids := newFiles(t, d, 3)
	insertMention(t, d, ids[0])
	d.Exec(t, `CREATE TABLE keyless (v text)`)
	d.Exec(t, `INSERT INTO keyless VALUES ($1)`, ids[1])
	for range 5 {
		require.NoError(t, patiently(func() error {
			if _, err := db.AcquireLease(t.Context(), "me", time.Minute); err != nil {
				return err
			}
			return trySweep(t, db, "lost")
		}))
		require.Contains(t, candidates(t, db, repo.FromRows, repo.Ages{}), ids[2])
		require.Contains(t, candidates(t, db, repo.FromBytes, repo.Ages{}), "lost")
	}
	requireCleanSessions(t, address)
}

// A path may be anything: a name that no store could have is none.
func TestPathsMayBeAnything(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	for i, path := range []string{fmt.Sprintf("/%05000d", 7), fmt.Sprintf("%03000d", 7), "/", "a/b/", "lost_report.pdf/"} {
		testenv.InsertFile(t, d.Pool, testenv.File{ID: fmt.Sprint("file-", i), Path: path})
	}
	sweep(t, db, "lost")
	require.Contains(t, candidates(t, db, repo.FromBytes, repo.Ages{}), "lost")
	require.Empty(t, testenv.Column[string](t, d, `SELECT name FROM pruned.known_file WHERE name <> ''`))
	testenv.InsertFile(t, d.Pool, testenv.File{Path: "lost_report.pdf"})
	sweep(t, db, "lost")
	require.Empty(t, candidates(t, db, repo.FromBytes, repo.Ages{}))
}
