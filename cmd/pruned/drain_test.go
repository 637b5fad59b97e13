package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestDrainPrintsItsSummary(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.NewFile(t, i.Pool)
	i.publish(t, file, testenv.NewID())
	summary := ask[map[string]float64](t, i, "run", "--drain")
	require.ElementsMatch(t, []string{"batches", "events", "deleted", "gone", "kept", "young", "busy", "invalid", "poison", "failed", "repeated", "waiting", "duration_s"},
		slices.Collect(maps.Keys(summary)))
	require.Positive(t, summary["duration_s"])
	delete(summary, "duration_s")
	require.Equal(t, map[string]float64{"batches": 1, "events": 2, "deleted": 1, "gone": 1, "kept": 0, "young": 0, "busy": 0, "invalid": 0, "poison": 0, "failed": 0, "repeated": 0, "waiting": 0}, summary)

	out := i.must(t, "run", "--drain")
	require.Regexp(t, `(?m)^batches +0$`, out)
	require.Regexp(t, `(?m)^  deleted +0$`, out)
}

// A dry run says what a run would do, and does nothing of it.
func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	i := install(t)
	seeded := i.seed(t, 60, 20)
	loose := testenv.NewID()
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: loose, Vectors: small})
	testenv.WriteBytes(t, i.uploads(), loose, "document.pdf")
	young := testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: time.Now()}).ID
	all := append(append([]string{loose, young, testenv.NewID()}, seeded.Orphans...), seeded.InUse...)
	i = i.with("PRUNED_MIN_AGE=1h")
	i.publish(t, all...)
	i.must(t, "migrate")
	before := i.left(t, all...)

	dry := i.drain(t, "--dry-run")
	require.Equal(t, 20, dry.Deleted)
	require.Equal(t, 40, dry.Kept)
	require.Equal(t, 2, dry.Young, "the young file, and the bytes of the one without a row")
	require.Equal(t, 1, dry.Gone)
	require.Equal(t, before, i.left(t, all...))
	for _, table := range []string{"ledger", "tombstone", "candidate"} {
		require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.`+table), table)
	}
	require.Equal(t, dry.Deleted, i.with("PRUNED_DRY_RUN=true").drain(t).Deleted, "by the variable too")

	after := i.drain(t)
	dry.Duration, after.Duration = 0, 0
	require.Equal(t, dry, after)
	require.Equal(t, nothing, i.left(t, seeded.Orphans...))
}

func TestWhatIsYoungStays(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MIN_AGE=24h", "PRUNED_PENDING_AGE=168h")
	now := time.Now()
	files := []string{
		testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: now}).ID,
		testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: now.Add(-23 * time.Hour)}).ID,
		testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: now.Add(-100 * time.Hour), Status: "pending"}).ID,
		testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: now.Add(-1000 * time.Hour), UpdatedAt: now.Add(-100 * time.Hour), Status: "processing"}).ID,
	}
	i.publish(t, files...)
	require.Equal(t, 4, i.drain(t).Young)
	require.Equal(t, 4, i.left(t, files...).rows)

	old := i.with("PRUNED_MIN_AGE=0", "PRUNED_PENDING_AGE=0", "PRUNED_ORPHAN_AGE=1h")
	old.publish(t, files...)
	require.Equal(t, 4, old.drain(t).Young, "not known to be unreferenced for long enough")
	require.Equal(t, 4, i.left(t, files...).rows)
}

func TestBytesWaitForTheirDelay(t *testing.T) {
	t.Parallel()
	i := install(t)
	seeded := i.seed(t, 11, 10)
	late := i.with("PRUNED_BYTES_DELAY=1h")
	late.publish(t, seeded.Orphans...)
	require.Equal(t, 10, late.drain(t).Deleted)
	require.Equal(t, left{bytes: 10}, i.left(t, seeded.Orphans...))
	late.publish(t, seeded.Orphans...)
	require.Equal(t, 10, late.drain(t).Gone, "the second time")
	require.Equal(t, left{bytes: 10}, i.left(t, seeded.Orphans...))
	i.Exec(t, `UPDATE pruned.tombstone SET due_at = due_at - interval '1 hour'`)
	late.drain(t)
	require.Equal(t, nothing, i.left(t, seeded.Orphans...))
	require.Len(t, ask[[]any](t, i, "ledger"), 10)
}

// What is set about references is obeyed.
func TestSettingsOfReferences(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_STRICT=true", "PRUNED_IGNORE=note")
	noted, used := testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool)
	testenv.InsertNote(t, i.Pool, noted)
	testenv.InsertNote(t, i.Pool, used)
	i.Exec(t, `INSERT INTO memory (id, user_id, content) VALUES ('m', 'u', $1)`, used)
	i.publish(t, noted, used)
	summary := i.drain(t)
	require.Equal(t, []int{1, 1}, []int{summary.Deleted, summary.Kept})
	require.Equal(t, 1, i.left(t, used).rows)
}
