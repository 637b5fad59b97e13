package consumer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

// shelve makes a knowledge base of n files, with their copies in its collection.
func (i *installation) shelve(t *testing.T, n int) (knowledge string, ids []string) {
	t.Helper()
	ids = i.files(t, n)
	knowledge = repotest.InsertKnowledge(t, i.Pool, ids...)
	for _, id := range ids {
		repotest.InsertChunks(t, i.Pool, repotest.Chunks{Collection: knowledge, FileID: id, Vectors: small})
	}
	return knowledge, ids
}

// A migration that lost the links of knowledge bases is no reason to delete, under
// whatever fraction, also when a few new ones are there.
func TestLostLinksOfKnowledgeBases(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 20)
	_, ids := i.shelve(t, 4)
	s := i.sweeper(t, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Exec(t, `DELETE FROM knowledge_file`)
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Contains(t, reasons(report)[repo.FromRows], "holds 4 files that table knowledge_file does not know, beside 0")
	i.shelve(t, 1)
	report = sweepOnce(t, s)
	require.Zero(t, report.Published, "one link says nothing about the others")
	i.consume(t, q)
	for _, id := range ids {
		require.True(t, i.left(t, id).row)
	}
	confirmed, _ := sweepWith(t, s, SweepOptions{Confirm: report.ID})
	require.EqualValues(t, 4, confirmed.Published)
	require.Empty(t, confirmed.Holds)
}

// A part of them is a loss where it is more than three and a tenth of the collection;
// what the application leaves behind now and then is none.
func TestLostLinksAreMoreThanAFew(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 20)
	knowledge, ids := i.shelve(t, 30)
	unlink := func(n int) {
		i.Exec(t, `DELETE FROM knowledge_file WHERE knowledge_id = $1 AND file_id = ANY ($2)`, knowledge, ids[:n])
	}
	s := i.sweeper(t, q)
	s.DryRun = true
	for n, held := range map[int]bool{3: false, 4: true} {
		unlink(n)
		require.Equal(t, held, len(sweepOnce(t, s).Holds) > 0, n)
		for _, id := range ids[:n] {
			repotest.LinkKnowledge(t, i.Pool, knowledge, id)
		}
	}
}

// Chats with files, and not one link: whoever has confirmed that once is believed.
func TestLostLinksOfChats(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	used := i.used(t, 20)
	chat := repotest.Value[string](t, i.Database, `SELECT min(id) FROM chat`)
	image := i.file(t)
	repotest.LinkChat(t, i.Pool, chat, image)
	s := i.sweeper(t, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Exec(t, `DELETE FROM chat_file`)
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Equal(t, "links were lost: table chat_file is empty, and there are chats with files", reasons(report)[repo.FromRows])
	repotest.LinkChat(t, i.Pool, chat, used[0])
	report = sweepOnce(t, s)
	require.Zero(t, report.Published, "one link says nothing about the others")
	i.consume(t, q)
	require.Equal(t, whole, i.left(t, image))

	confirmed, _ := sweepWith(t, s, SweepOptions{Confirm: report.ID})
	require.EqualValues(t, 1, confirmed.Published)
	i.Exec(t, `DELETE FROM chat_file`)
	i.file(t)
	require.EqualValues(t, 1, sweepOnce(t, s).Published)
}
