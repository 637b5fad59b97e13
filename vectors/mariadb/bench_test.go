package mariadb_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each, half of them in a knowledge base, beside
// the same by two plain deletes for as many files at a time. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	files := vectorstest.FilesToRemove(b)
	var ids []string
	var chunks []vectorstest.Chunk
	for n := range files {
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		ids = append(ids, id)
		for c := range 10 {
			chunk := vectorstest.Chunk{ID: fmt.Sprintf("%s-%d", id, c), FileID: id, Collection: vectors.FileCollection(id)}
			if c%2 == 0 {
				chunk.Collection = vectorstest.Base
			}
			chunks = append(chunks, chunk)
		}
	}
	for b.Loop() {
		measure := func(remove func(d *database, ids []string)) (took time.Duration, cpu float64) {
			d := newDatabase(b, testenv.SharedMariaDB(b))
			d.insert(b, chunks...)
			before, began := d.cpu(b), time.Now()
			for some := range slices.Chunk(ids, 500) {
				remove(d, some)
			}
			took, cpu = time.Since(began), d.cpu(b)-before
			require.Empty(b, d.left(b))
			return took, cpu
		}
		bulk, bulkCPU := measure(func(d *database, ids []string) {
			var own, of []any
			for _, id := range ids {
				own, of = append(own, vectors.FileCollection(id)), append(of, id)
			}
			in := " IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"
			d.exec(b, "DELETE FROM document_chunk WHERE collection_name"+in, own...)
			d.exec(b, "DELETE FROM document_chunk WHERE JSON_UNQUOTE(JSON_EXTRACT(vmetadata, '$.file_id'))"+in, of...)
		})
		took, cpu := measure(func(d *database, ids []string) {
			_, err := d.store(b).Remove(b.Context(), nil, ids)
			require.NoError(b, err)
		})
		b.ReportMetric(float64(files)/took.Seconds(), "files/s")
		b.ReportMetric(float64(files)/bulk.Seconds(), "bulk-files/s")
		b.ReportMetric(bulk.Seconds()/took.Seconds(), "of-bulk")
		b.ReportMetric(bulkCPU/cpu, "of-bulk-by-cpu")
	}
}

// cpu is what the server and this process have used so far, in ticks of the kernel's.
func (d *database) cpu(b *testing.B) (ticks float64) {
	b.Helper()
	var path string
	require.NoError(b, d.QueryRowContext(b.Context(), "SELECT @@pid_file").Scan(&path))
	pid, err := os.ReadFile(path)
	require.NoError(b, err)
	for _, process := range []string{strings.TrimSpace(string(pid)), "self"} {
		text, err := os.ReadFile("/proc/" + process + "/stat")
		require.NoError(b, err)
		_, rest, _ := strings.Cut(string(text), ") ")
		for _, field := range strings.Fields(rest)[11:13] {
			n, err := strconv.Atoi(field)
			require.NoError(b, err)
			ticks += float64(n)
		}
	}
	return ticks
}
