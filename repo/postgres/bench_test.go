package postgres_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// BenchmarkLook is one look for 500 files in use.
func BenchmarkLook(b *testing.B) {
	d := testenv.New(b)
	db := open(b, d)
	var ids []string
	for range 500 {
		id := uuid.NewString()
		ids = append(ids, id)
		d.Exec(b, `INSERT INTO file (id, user_id, filename, meta, data, created_at, updated_at) VALUES ($1, 'u', 'x.txt', '{}', '{}', 1000, 1000)`, id)
		d.Exec(b, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n1' || $2::text, 'u', 't', $1, 1, 1)`, `{"x":"`+id+`"}`, id)
	}
	require.NoError(b, db.IndexAll(b.Context(), nil))
	d.Exec(b, `VACUUM ANALYZE`)
	for b.Loop() {
		require.NoError(b, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
			_, err := db.FindReferences(context.Background(), tx, ids)
			return err
		}))
	}
}

// BenchmarkPassOverChangedChats compares a pass over chats that were all written anew,
// with ids in them that no pass has seen, with the first pass over the same. The
// figures to compare are s/first and s/changed, and the memory, MB/peak.
func BenchmarkPassOverChangedChats(b *testing.B) {
	for _, form := range []struct{ chats, uuids int }{{5_000, 60}, {20_000, 60}, {1_000, 5_700}} {
		b.Run(fmt.Sprintf("%d chats of %d ids", form.chats, form.uuids), func(b *testing.B) {
			for b.Loop() {
				d := testenv.New(b)
				db := open(b, d)
				newFiles(b, d, 100)
				d.Exec(b, `INSERT INTO chat (id, user_id, title, chat, created_at, updated_at) SELECT gen_random_uuid(), 'u', 't', '{}', 1, 1 FROM generate_series(1, $1::int)`, form.chats)
				write := func() {
					d.Exec(b, `UPDATE chat SET chat = (SELECT json_agg(gen_random_uuid()) FROM generate_series(1, $1::int + (chat.id IS NULL)::int))`, form.uuids)
				}
				write()
				first := timed(func() { refresh(b, db) })
				write()
				stop := peak()
				changed := timed(func() { pass(b, db) })
				b.ReportMetric(stop(), "MB/peak")
				b.ReportMetric(first.Seconds(), "s/first")
				b.ReportMetric(changed.Seconds(), "s/changed")
			}
		})
	}
}

func timed(fn func()) time.Duration {
	start := time.Now()
	fn()
	return time.Since(start)
}

// peak watches the heap of this process until it is asked for the most.
func peak() (stop func() float64) {
	runtime.GC()
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var highest uint64
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
			select {
			case <-done:
				tick.Stop()
				most <- highest
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		close(done)
		return float64(<-most) / (1 << 20)
	}
}
