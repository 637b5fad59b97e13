package sweep

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// pausing has a sweeper paused until it is resumed.
func pausing(s *Sweeper) (resume func()) {
	var resumed atomic.Bool
	s.Paused = func() bool { return !resumed.Load() }
	return func() { resumed.Store(true) }
}

// While the work is paused a sweep finds and publishes as ever, and removes nothing itself.
func TestPausedSweepOnlyFinds(t *testing.T) {
	t.Parallel()
	t.Run("folders and lost rows", func(t *testing.T) {
		t.Parallel()
		f := installFolders(t, 3)
		gone := f.drop(t)
		f.lose(t, 3)
		s := f.sweeper(t)
		resume := pausing(s)
		report := sweepOnce(t, s)
		require.EqualValues(t, 1, report.Folders.Found)
		require.Zero(t, report.Folders.Removed)
		require.Equal(t, &Rows{Found: 3}, report.Rows)
		f.requireLeft(t, gone)
		f.requireLost(t, 3)
		resume()
		require.EqualValues(t, 1, sweepOnce(t, s).Folders.Removed)
		f.requireLeft(t)
		f.requireLost(t, 0)
	})
	t.Run("dangling rows", func(t *testing.T) {
		t.Parallel()
		d := installDangling(t, 5, 10)
		orphan := testenv.NewFile(t, d.Pool)
		resume := pausing(d.s)
		report := sweepOnce(t, d.s)
		require.EqualValues(t, 1, report.Published, orphan)
		require.EqualValues(t, 10, report.Dangling.Found)
		d.requireMembers(t, 5, 10)
		resume()
		require.EqualValues(t, 10, sweepOnce(t, d.s).Dangling.Removed)
		d.requireMembers(t, 5, 0)
	})
	t.Run("cache", func(t *testing.T) {
		t.Parallel()
		c := newCached(t)
		s := c.sweeper(t)
		resume := pausing(s)
		report := sweepOnce(t, s)
		require.EqualValues(t, 3, report.Cache.Files)
		require.Contains(t, report.Cache.Waits, "pruned resume")
		require.Equal(t, allCached, c.left(t))
		resume()
		require.Empty(t, sweepOnce(t, s).Cache.Waits)
		require.Equal(t, leftCached, c.left(t))
	})
	t.Run("trash", func(t *testing.T) {
		t.Parallel()
		d := installDangling(t, 1, 0)
		d.Exec(t, `INSERT INTO pruned.trash (file_id, identity, path, name, filename, owner, size, keep, content) VALUES ('old', '', '', '', '', '', 0, -1, '{}')`)
		resume := pausing(d.s)
		count := func() int { return testenv.Value[int](t, d.Database, `SELECT count(*) FROM pruned.trash`) }
		sweepOnce(t, d.s)
		require.Equal(t, 1, count(), "what can be restored does not end meanwhile")
		resume()
		sweepOnce(t, d.s)
		require.Zero(t, count())
	})
}
