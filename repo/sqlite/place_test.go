package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/sqlite"
	"pruned/repo/testenv"
	"pruned/repo/witness"
)

// openAt opens a database as from another place, with our tables in it.
func openAt(t *testing.T, path string, place witness.Place) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Place: place})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

// bind has a tombstone written and a store bound.
func bind(t *testing.T, db *sqlite.DB) {
	t.Helper()
	require.NoError(t, db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		require.NoError(t, db.AddTombstones(t.Context(), tx, []repo.Tombstone{{Kind: repo.Vectors, FileID: "x"}}))
		return db.ApproveStore(t.Context(), tx, "chroma", "")
	}))
	requireBound(t, db, true)
}

// requireBound says whether tombstones and bindings are this installation's.
func requireBound(t *testing.T, db *sqlite.DB, is bool) {
	t.Helper()
	require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
		_, bound, err := db.StoreApproval(context.Background(), tx, "chroma")
		require.NoError(t, err)
		require.Equal(t, is, bound)
		due, err := db.FetchDue(context.Background(), tx, repo.Vectors, 10)
		require.NoError(t, err)
		require.Equal(t, is, len(due) == 1)
		return nil
	}))
}

var disk = witness.Place{
	Path: "/data/webui.db", Inner: "/webui.db", Device: "7:0", Disk: "disk-1",
	Machine: witness.Machine{Host: "h1", Boot: "b1", System: "s1"},
}

// The file is one and the same in each case; what is around it differs, as it does
// for a clone that has the number of its file too.
func TestIdentityOfAClonedDisk(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	original := openAt(t, d.Path, disk)
	bind(t, original)
	remounted, rebooted, cloned := disk, disk, disk
	remounted.Device = "0:55"
	rebooted.Boot, rebooted.Device = "b2", "8:1"
	cloned.Device, cloned.Disk, cloned.Machine = "7:1", "disk-2", witness.Machine{Host: "h2", Boot: "b1", System: "s2"}

	for _, place := range []witness.Place{remounted, rebooted} {
		same := openAt(t, d.Path, place)
		require.Equal(t, original.Identity(), same.Identity())
		requireBound(t, same, true)
	}
	staging := openAt(t, d.Path, cloned)
	require.NotEqual(t, original.Identity().Key, staging.Identity().Key)
	require.Equal(t, "/data/webui.db, on h1", staging.Identity().Elsewhere)
	requireBound(t, staging, false)
	require.Equal(t, staging.Identity(), openAt(t, d.Path, cloned).Identity(), "each start is told the same")

	back := openAt(t, d.Path, rebooted)
	require.Equal(t, original.Identity().Key, back.Identity().Key)
	requireBound(t, back, true)
}

// FUSE and a restored backup give the file another number at the place where it was.
func TestIdentityIsNotTheNumberOfTheFile(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	require.NoError(t, d.DB.Close())
	first := openAt(t, d.Path, witness.Place{})
	bind(t, first)
	content, err := os.ReadFile(d.Path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(d.Path+".new", content, 0o600))
	require.NoError(t, os.Rename(d.Path+".new", d.Path))
	again := openAt(t, d.Path, witness.Place{})
	require.Equal(t, first.Identity(), again.Identity())
	requireBound(t, again, true)
}

// A copy has the mark, the tombstones and the bindings of its original; by its path it
// is told that it is none, also where it was made with a link or beside the original.
func TestIdentityOfACopyBesideTheOriginal(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	require.NoError(t, d.DB.Close())
	first := openAt(t, d.Path, witness.Place{})
	bind(t, first)
	content, err := os.ReadFile(d.Path)
	require.NoError(t, err)
	beside := filepath.Join(filepath.Dir(d.Path), "copy.db")
	require.NoError(t, os.WriteFile(beside, content, 0o600))
	link := filepath.Join(t.TempDir(), "webui.db")
	require.NoError(t, os.Symlink(beside, link))
	for _, path := range []string{beside, link} {
		copied := openAt(t, path, witness.Place{})
		require.NotEqual(t, first.Identity().Key, copied.Identity().Key)
		require.Contains(t, copied.Identity().Elsewhere, d.Path)
		requireBound(t, copied, false)
		n, whose, err := copied.CountForeignTombstones(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.Equal(t, first.Identity().Key, whose)
	}
	requireBound(t, openAt(t, d.Path, witness.Place{}), true)
}

// What an earlier version called a database it is called on; a copy of such is none.
func TestIdentityOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	first := openAt(t, d.Path, disk)
	key := first.Identity().Key
	number := fileNumber(t, d.Path)
	d.Exec(t, `DELETE FROM pruned_place`)
	d.Exec(t, `UPDATE pruned_state SET owner = 'sqlite/' || mark || '/' || $1`, number)
	require.Equal(t, key+"/"+number, openAt(t, d.Path, disk).Identity().Key)
	d.Exec(t, `DELETE FROM pruned_place`)
	d.Exec(t, `UPDATE pruned_state SET owner = 'sqlite/' || mark || '/1'`)
	copied := openAt(t, d.Path, disk).Identity().Key
	require.NotEqual(t, key, copied)
	require.NotEqual(t, key+"/"+number, copied)
}

func fileNumber(t *testing.T, path string) string {
	t.Helper()
	number, err := sqlite.FileNumber(path)
	require.NoError(t, err)
	return number
}
