package repotest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// missingLinksAreTold: only where knowledge base and file are there, the one does not speak
// of the other, and others are linked.
func missingLinksAreTold(t *testing.T, e Engine) {
	missing := func(pairs ...string) (missing []string) {
		t.Helper()
		require.NoError(t, e.DB.InTx(background(), nil, func(tx repo.Tx) (err error) {
			missing, err = e.DB.FindMissingRows(background(), tx, repo.KnowledgeLinks, pairs)
			return err
		}))
		return missing
	}
	base, speaking := uuid.NewString(), uuid.NewString()
	file, linked, odd := e.file(t, nil), e.file(t, nil), e.file(t, row{"id": "An odd/id: 'quoted'"})
	e.insert(t, "knowledge", row{"id": base})
	e.insert(t, "knowledge", row{"id": speaking, "description": "made of " + file})
	pair := func(base, file string) string { return base + "/" + file }
	all := []string{pair(base, file), pair(base, linked), pair(base, odd), pair(speaking, file), pair(uuid.NewString(), file),
		pair(base, uuid.NewString()), pair(base, file[1:]), pair(base, ""), "", "/", base}
	require.Empty(t, missing(all...), "nothing is linked at all")
	link := e.insert(t, repo.KnowledgeLinks, row{"knowledge_id": base, "file_id": linked})
	require.ElementsMatch(t, []string{pair(base, file), pair(base, odd)}, missing(all...))
	require.Empty(t, missing())
	require.Empty(t, missing(pair(base, linked)))
	e.insert(t, repo.KnowledgeLinks, row{"knowledge_id": speaking, "file_id": linked})
	e.Exec(t, `DELETE FROM knowledge_file WHERE id = $1`, link)
	require.ElementsMatch(t, []string{pair(base, file), pair(base, odd), pair(base, linked)}, missing(all...))
	e.Unchecked(t, `DROP TABLE knowledge_file`)
	require.Empty(t, missing(all...), "an older revision links elsewhere")
}
