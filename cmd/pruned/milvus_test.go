package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// milvusOf puts the vectors of an installation into a database of a Milvus server, as Open
// WebUI with VECTOR_DB=milvus has them.
func (i *installation) milvusOf(t *testing.T, multitenancy bool) (*installation, *testenv.MilvusData) {
	t.Helper()
	url, name := testenv.SharedMilvusLite(t).URL(), "b"+strings.ReplaceAll(uuid.NewString(), "-", "")
	data, err := testenv.OpenMilvus(url, name, multitenancy)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, data.Close()) })
	require.NoError(t, testenv.MilvusDone(data.CreateDatabase(t.Context(), &milvuspb.CreateDatabaseRequest{DbName: name})))
	m := i.with("VECTOR_DB=milvus", "MILVUS_URI="+url, "MILVUS_DB="+name, fmt.Sprint("ENABLE_MILVUS_MULTITENANCY_MODE=", multitenancy))
	m.moveChunks(t, data)
	return m, data
}

// moveChunks moves what is in the database to the server.
func (i *installation) moveChunks(t *testing.T, data *testenv.MilvusData) {
	t.Helper()
	rows, _ := i.Pool.Query(t.Context(), `DELETE FROM document_chunk RETURNING id, collection_name, vmetadata`) // an error comes out of the rows as well
	chunks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r testenv.MilvusRow, err error) {
		return r, row.Scan(&r.ID, &r.Collection, &r.Metadata)
	})
	require.NoError(t, err)
	for _, chunk := range chunks {
		name := data.ServerName(chunk.Collection)
		there, err := data.Collections(t.Context())
		require.NoError(t, err)
		if !slices.Contains(there, name) {
			require.NoError(t, data.Create(t.Context(), name, testenv.MilvusDimension))
		}
		require.NoError(t, data.Insert(t.Context(), name, chunk))
	}
}

// filesIn are those of which the server has chunks, each once, in order.
func filesIn(t *testing.T, data *testenv.MilvusData) []string {
	t.Helper()
	names, err := data.Collections(t.Context())
	require.NoError(t, err)
	files := map[string]bool{}
	for _, name := range names {
		rows, err := data.Rows(t.Context(), name)
		require.NoError(t, err)
		for _, row := range rows {
			files[row.File()] = true
		}
	}
	return slices.Sorted(maps.Keys(files))
}

// Vectors in a Milvus go with their rows, and those of which no row is left, after somebody
// has said that it is this installation's: of that database and mode, and no other.
func TestVectorsInMilvus(t *testing.T) {
	t.Parallel()
	for mode, multitenancy := range map[string]bool{"multitenancy": true, "a collection each": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			i := install(t, testenv.Vectors(small))
			seeded := i.seed(t, 12, 3)
			i.loose(t)
			m, data := i.milvusOf(t, multitenancy)
			m.requireRemovedOnceBound(t, seeded, func() []string { return filesIn(t, data) })
		})
	}
}

// A server that two installations write to: who has not been told that it is theirs removes
// nothing, and who has is held by chunks of users that its database never had.
func TestMilvusOfTwoInstallations(t *testing.T) {
	t.Parallel()
	ours := install(t, testenv.Vectors(small))
	used := ours.seed(t, 12, 0).InUse
	i, data := ours.milvusOf(t, true)
	i.loose(t)
	i.moveChunks(t, data)
	held := i.sweep(t, exitHeld)
	i.sweep(t, exitDone, "--confirm", held.ID)
	i.drain(t)
	require.Equal(t, sorted(used...), filesIn(t, data))

	other := install(t, testenv.Vectors(small))
	other = other.with(i.env[len(ours.env):]...)
	seeded := other.seed(t, 4, 2)
	other.Exec(t, `UPDATE document_chunk SET vmetadata = vmetadata || jsonb_build_object('created_by', $1::text)`, uuid.NewString())
	other.moveChunks(t, data)
	everyone := sorted(slices.Concat(used, seeded.InUse, seeded.Orphans)...)
	require.Equal(t, everyone, filesIn(t, data))

	other.publish(t, seeded.Orphans...)
	require.Equal(t, 2, other.drain(t).Deleted)
	other.publish(t, used...)
	other.drain(t)
	other.sweep(t, exitHeld)
	other.drain(t)
	require.Equal(t, everyone, filesIn(t, data), "nobody has told the other that it is theirs")

	held = i.sweep(t, exitHeld)
	require.Contains(t, fmt.Sprint(held.Holds), "that this database never had")
	i.drain(t)
	require.Equal(t, everyone, filesIn(t, data))
}
