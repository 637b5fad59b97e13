package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestDoctorTellsOfTombstones(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.must(t, "migrate")
	require.Equal(t, "none waits", ask[diagnosis](t, i, "doctor").of(t, "tombstones of bytes").Detail)
	testenv.NewFile(t, i.Pool)
	i.with("PRUNED_MAX_FRACTION=1", "PRUNED_BYTES_DELAY=1h").sweep(t, exitDone)
	require.Equal(t, 1, i.with("PRUNED_BYTES_DELAY=1h").drain(t).Deleted)
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "tombstones of bytes").Detail, "1 wait, the first is due in")

	i.Exec(t, `UPDATE pruned.tombstone SET due_at = due_at - interval '1 hour 90 s', attempts = 3, error = 'the disk is away' WHERE kind = 'bytes'`)
	d := ask[diagnosis](t, i, "doctor")
	require.True(t, d.OK)
	bytes := d.of(t, "tombstones of bytes")
	require.Contains(t, bytes.Detail, "1 wait, the first is overdue by 1m")
	require.True(t, bytes.Warn)
	require.Contains(t, bytes.Detail, "the disk is away")
	require.Contains(t, bytes.Remedy, "pruned run")

	i.Exec(t, `UPDATE pruned.tombstone SET identity = 'another/1/public'`)
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "strays").Detail, "another/1/public")
}
