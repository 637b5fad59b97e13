//go:build e2e

package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// TestE2EStoppedPostgreSQL and TestE2EStoppedSQLite: an add to a knowledge base, a reindex and
// a memory that is being written lose nothing, although everything unused is swept and deleted
// with ages of zero whenever the application waits in the midst of them.
func TestE2EStoppedPostgreSQL(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.Empty())
	b := startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector},
		"DATABASE_URL="+d.URL, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0")
	b.Database = d
	s := b.newStops(t)
	s.stopEach(t)
	s.addBesideLock(t)
	s.requireWhole(t)
}

func TestE2EStoppedSQLite(t *testing.T) {
	t.Parallel()
	b := startBeside(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma},
		"PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0")
	s := b.newStops(t)
	s.stopEach(t)
	s.requireWhole(t)
	require.NoError(t, b.app.Restart(t.Context()))
	s.requireWhole(t)
}

// stops are a knowledge base and memories beside which sweeps and deletions run.
type stops struct {
	*beside
	base         string
	files, texts []string // of the knowledge base
	memories     []string
}

func (b *beside) newStops(t *testing.T) *stops {
	t.Helper()
	base, err := b.app.CreateKnowledge(t.Context(), "The shelf")
	require.NoError(t, err)
	return &stops{beside: b, base: base}
}

// stopEach does each of the three things, and is stopped in it.
func (s *stops) stopEach(t *testing.T) {
	t.Helper()
	for _, text := range []string{"The lighthouse is red.", "The harbour is green."} {
		s.add(t, text, s.whileEmbedding)
	}
	s.whileEmbedding(t, s.app.Reindex)
	for _, text := range []string{"The ferry is late.", "The causeway is dry."} {
		s.memories = append(s.memories, text)
		s.whileEmbedding(t, func(ctx context.Context) error {
			_, err := s.app.Remember(ctx, text)
			return err
		})
	}
}

// add puts a file, which a note names, into the knowledge base, and is stopped meanwhile.
func (s *stops) add(t *testing.T, text string, while func(*testing.T, func(context.Context) error)) {
	t.Helper()
	id, err := s.app.Upload(t.Context(), text[:8]+".txt", text, true)
	require.NoError(t, err)
	_, err = s.app.CreateNote(t.Context(), "it names "+id)
	require.NoError(t, err)
	s.texts, s.files = append(s.texts, text), append(s.files, id)
	while(t, func(ctx context.Context) error { return s.app.AddToKnowledge(ctx, s.base, id) })
}

// whileEmbedding sweeps and deletes whenever the application waits for embeddings: an add has
// stored no chunks yet, a reindex has dropped what it makes anew, a memory has no point yet.
func (s *stops) whileEmbedding(t *testing.T, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waits, done := make(chan chan struct{}), make(chan error, 1)
	s.app.BeforeEmbedding(func() {
		proceed := make(chan struct{})
		select {
		case waits <- proceed:
			<-proceed
		case <-ctx.Done():
		}
	})
	defer s.app.BeforeEmbedding(nil)
	go func() { done <- do(ctx) }()
	for stopped := 0; ; stopped++ {
		select {
		case proceed := <-waits:
			func() {
				defer close(proceed)
				s.sweepAndDelete(t)
			}()
		case err := <-done:
			require.NoError(t, err)
			require.Positive(t, stopped)
			s.sweepAndDelete(t)
			return
		}
	}
}

// addBesideLock sweeps and deletes while an add has stored its chunks and not yet linked its
// file.
func (s *stops) addBesideLock(t *testing.T) {
	t.Helper()
	s.add(t, "The ferry is late.", func(t *testing.T, do func(context.Context) error) {
		t.Helper()
		tx, err := s.Pool.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `LOCK TABLE knowledge_file IN SHARE MODE`)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- do(t.Context()) }()
		require.Eventually(t, func() bool {
			return testenv.Value[int](t, s.Database, `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'knowledge_file'::regclass`) > 0
		}, signalTimeout, pollEvery)
		require.NotEmpty(t, testenv.Column[string](t, s.Database, `SELECT id FROM document_chunk WHERE collection_name = $1 AND text LIKE '%ferry%'`, s.base))
		s.must(t, "sweep")
		s.drain(t)
		require.NoError(t, tx.Rollback(t.Context()))
		require.NoError(t, <-done)
		s.sweepAndDelete(t)
	})
}

// sweepAndDelete deletes what nothing uses: at least a file that was uploaded just now.
func (s *stops) sweepAndDelete(t *testing.T) {
	t.Helper()
	orphan, err := s.app.Upload(t.Context(), "orphan.txt", "Nobody needs this.", false)
	require.NoError(t, err)
	s.must(t, "sweep")
	require.Positive(t, s.drain(t).Deleted)
	_, err = s.app.GetFile(t.Context(), orphan)
	require.ErrorContains(t, err, "404")
}

// requireWhole asks the application for everything that was made.
func (s *stops) requireWhole(t *testing.T) {
	t.Helper()
	found, err := s.app.QueryCollection(t.Context(), s.base, "What is there?", 9)
	require.NoError(t, err)
	require.ElementsMatch(t, s.texts, found)
	for i, id := range s.files {
		content, err := s.app.FileContent(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, s.texts[i], string(content))
		own, err := s.app.QueryCollection(t.Context(), openwebui.FileCollection(id), "What is there?", 9)
		require.NoError(t, err)
		require.Equal(t, []string{s.texts[i]}, own)
	}
	remembered, err := s.app.Recall(t.Context(), "What is there?")
	require.NoError(t, err)
	require.ElementsMatch(t, s.memories, remembered)
}
