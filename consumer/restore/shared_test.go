package restore_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// claimedDB lets somebody act once between the claim of bytes and the check that follows it.
type claimedDB struct {
	repo.Engine
	claimed atomic.Bool
	once    sync.Once
	act     func()
}

func (d *claimedDB) ClaimBytes(ctx context.Context, tx repo.Tx, tombstones []repo.Tombstone) error {
	defer d.claimed.Store(true)
	return d.Engine.ClaimBytes(ctx, tx, tombstones)
}

func (d *claimedDB) InTx(ctx context.Context, tx repo.Tx, fn func(repo.Tx) error) error {
	if d.claimed.Load() {
		d.once.Do(d.act)
	}
	return d.Engine.InTx(ctx, tx, fn)
}

// removeAfter lets somebody act right before bytes are removed.
type removeAfter struct {
	repo.Blobs
	act func()
}

func (b removeAfter) Remove(ctx context.Context, names []string) (map[string]error, error) {
	b.act()
	return b.Blobs.Remove(ctx, names)
}

// Two files share bytes, as plugins make them. The bytes of one are claimed; only then the
// row of the other goes to the trash, so that no claim is about its entry, and the check of
// the first finds no row that uses the bytes.
func TestSharedBytesStayForTheTrash(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			first, path := p.addFile(t)
			second, _ := p.addFile(t)
			p.exec(t, `UPDATE file SET path = $1 WHERE id = $2`, path, second)
			p.discard(t, first, 0)

			reaper := p.newReaper()
			reaper.DB = &claimedDB{Engine: p.daemon, act: func() { p.discard(t, second, time.Hour) }}
			reaper.Blobs = removeAfter{Blobs: p.blobs, act: func() {
				_, err := p.newRestorer().Restore(t.Context(), second)
				assert.NoError(t, err)
			}}
			require.NoError(t, reaper.Drain(t.Context()))

			if !p.hasRow(t, second) {
				result, err := p.newRestorer().Restore(t.Context(), second)
				require.NoError(t, err)
				require.Empty(t, result.Refused)
			}
			require.True(t, p.hasRow(t, second))
			require.True(t, hasBytes(path), "a row is there without its bytes")
		})
	}
}
