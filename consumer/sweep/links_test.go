package sweep

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// shelve makes a knowledge base of n files, with their copies in its collection.
func shelve(t *testing.T, i *fixture.Installation, n int) (knowledge string, ids []string) {
	t.Helper()
	ids = i.AddFiles(t, n)
	knowledge = testenv.InsertKnowledge(t, i.Pool, ids...)
	for _, id := range ids {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: knowledge, FileID: id, Vectors: fixture.SmallVectors})
	}
	return knowledge, ids
}

// A migration that lost the links of knowledge bases is no reason to delete, under
// whatever fraction, also when a few new ones are there.
func TestLostLinksOfKnowledgeBases(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	_, ids := shelve(t, i, 4)
	s := sweeper(t, i, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Exec(t, `DELETE FROM knowledge_file`)
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Contains(t, reasons(report)[repo.FromRows], "holds 4 files that table knowledge_file does not know, beside 0")
	shelve(t, i, 1)
	report = sweepOnce(t, s)
	require.Zero(t, report.Published, "one link says nothing about the others")
	i.Consume(t, q)
	for _, id := range ids {
		require.True(t, i.LeftOf(t, id).Row)
	}
	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.EqualValues(t, 4, confirmed.Published)
	require.Empty(t, confirmed.Holds)
}

// silentStore does not say in which collections files are.
type silentStore struct{ vectors.Store }

func (silentStore) Holdings(context.Context, []string) ([]vectors.Holding, error) {
	return nil, errors.New("the store is away")
}

// A store that does not answer holds the files, as long as it does not.
func TestLostLinksThatNobodyCanTell(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	orphan := i.AddFile(t)
	s := sweeper(t, i, q)
	s.Vectors = silentStore{i.Store}
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Contains(t, reasons(report)[repo.FromRows], "the store is away")
	s.Vectors = i.Store
	report = sweepOnce(t, s)
	require.Empty(t, report.Holds)
	require.EqualValues(t, 1, report.Published)
	i.Consume(t, q)
	require.Equal(t, fixture.Nothing.Row, i.LeftOf(t, orphan).Row)
}

// A part of them is a loss where it is more than three and a tenth of the collection;
// what the application leaves behind now and then is none.
func TestLostLinksAreMoreThanAFew(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	knowledge, ids := shelve(t, i, 30)
	unlink := func(n int) {
		i.Exec(t, `DELETE FROM knowledge_file WHERE knowledge_id = $1 AND file_id = ANY ($2)`, knowledge, ids[:n])
	}
	s := sweeper(t, i, q)
	s.DryRun = true
	for n, held := range map[int]bool{3: false, 4: true} {
		unlink(n)
		require.Equal(t, held, len(sweepOnce(t, s).Holds) > 0, n)
		for _, id := range ids[:n] {
			testenv.LinkKnowledge(t, i.Pool, knowledge, id)
		}
	}
}

// Chats with files, and not one link: whoever has confirmed that once is believed.
func TestLostLinksOfChats(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	used := i.AddUsedFiles(t, 20)
	chat := testenv.Value[string](t, i.Database, `SELECT min(id) FROM chat`)
	image := i.AddFile(t)
	testenv.LinkChat(t, i.Pool, chat, image)
	s := sweeper(t, i, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Exec(t, `DELETE FROM chat_file`)
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Equal(t, "links were lost: table chat_file is empty, and there are chats with files", reasons(report)[repo.FromRows])
	testenv.LinkChat(t, i.Pool, chat, used[0])
	report = sweepOnce(t, s)
	require.Zero(t, report.Published, "one link says nothing about the others")
	i.Consume(t, q)
	require.Equal(t, fixture.Whole, i.LeftOf(t, image))

	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.EqualValues(t, 1, confirmed.Published)
	i.Exec(t, `DELETE FROM chat_file`)
	i.AddFile(t)
	require.EqualValues(t, 1, sweepOnce(t, s).Published)
}
