package prune_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

// candidate makes what a sweep makes of a collection or a point that nothing uses.
func candidate(t *testing.T, i *fixture.Installation, d repo.Direction, name string) {
	t.Helper()
	require.NoError(t, i.DB.InTx(t.Context(), nil, func(tx repo.Tx) error {
		return i.DB.UpsertListed(t.Context(), tx, 1, d, i.Store.Info().Name, []repo.Listed{{FileID: name}})
	}))
}

// Whatever comes into use before the transaction looks again is kept, and everything else
// of the batch goes: files, collections and points are one transaction.
func TestUseKeepsTheCollection(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.RefreshIndex(t) // which forgets candidates where it begins anew
	for _, step := range []string{"lock", "look", "vectors", "delete", "collections", "ledger", "last look"} {
		search, other := "web-search-x-"+testenv.NewID(), "web-search-y-"+testenv.NewID()
		user := testenv.NewID()
		memory, point := "user-memory-"+user, "knowledge-bases/"+testenv.NewID()
		file := i.AddFile(t)
		var names []string
		for _, name := range []string{search, other, memory} {
			i.AddPoint(t, name, testenv.NewID())
			candidate(t, i, repo.FromCollections, name)
			names = append(names, name)
		}
		i.AddPoint(t, "knowledge-bases", point[len("knowledge-bases/"):])
		candidate(t, i, repo.FromPoints, point)
		require.NoError(t, i.DB.SetNames(t.Context(), []string{search, other}))
		i.RefreshIndex(t)

		batch := fixture.Deliveries(1, file)
		for _, name := range names {
			batch = append(batch, event.Delivery{Event: event.NewOf(event.CollectionOrphaned, name, "test", ""), Deliveries: 1})
		}
		batch = append(batch, event.Delivery{Event: event.NewOf(event.PointsOrphaned, point, "test", ""), Deliveries: 1})
		x := stepped(i.NewTransaction(), step, func() {
			testenv.InsertNote(t, i.Pool, search)
			i.Exec(t, `INSERT INTO "user" (id, name, email, role, profile_image_url, last_active_at, created_at, updated_at)
				VALUES ($1::text, 'Late', $1::text, 'user', '', 1, 1, 1)`, user)
		})
		report, err := x.Run(context.Background(), batch)
		require.NoError(t, err, step)
		outcomes := map[string]event.Outcome{}
		for _, e := range batch {
			outcomes[e.Subject] = report.Results[e.Key()].Outcome
		}
		require.Equal(t, map[string]event.Outcome{file: event.Deleted, search: event.Kept, memory: event.Kept, other: event.Deleted, point: event.Deleted}, outcomes, step)
		require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, file), step)
		require.ElementsMatch(t, []string{search, memory}, testenv.Column[string](t, i.Database, `SELECT DISTINCT collection_name FROM document_chunk`), step)
		require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate`), step)
		i.Exec(t, `DELETE FROM document_chunk`)
	}
}
