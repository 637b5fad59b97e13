//go:build e2e

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// shelf is what is asked of a store of vectors beside the application.
type shelf struct {
	names  func(t *testing.T) []string                    // of its collections
	points func(t *testing.T, collection string) []string // their ids
	exec   func(t *testing.T, sql string, id string)      // in the application's database
}

func (b *beside) pgShelf() shelf {
	return shelf{
		names: func(t *testing.T) []string {
			return testenv.Column[string](t, b.Database, `SELECT DISTINCT collection_name FROM document_chunk`)
		},
		points: func(t *testing.T, collection string) []string {
			return testenv.Column[string](t, b.Database, `SELECT id FROM document_chunk WHERE collection_name = $1`, collection)
		},
		exec: func(t *testing.T, sql string, id string) { b.Exec(t, sql, id) },
	}
}

func (b *beside) chromaShelf() shelf {
	return shelf{
		names: func(t *testing.T) []string { return list(t, b, `SELECT name FROM collections`) },
		points: func(t *testing.T, collection string) []string {
			return list(t, b, `SELECT e.embedding_id FROM embeddings e JOIN segments s ON s.id = e.segment_id
				JOIN collections c ON c.id = s.collection WHERE c.name = ?1`, collection)
		},
		exec: func(t *testing.T, sql string, id string) {
			_, err := b.webui(t).ExecContext(t.Context(), strings.ReplaceAll(sql, "$", "?"), id)
			require.NoError(t, err)
		},
	}
}

func list(t *testing.T, b *beside, query string, args ...any) (values []string) {
	rows, err := b.chroma(t).QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var v string
		require.NoError(t, rows.Scan(&v))
		values = append(values, v)
	}
	require.NoError(t, rows.Err())
	return values
}

// lost are points whose rows are gone, as after a crash between two steps of the
// application, beside points of the same collections that are in use.
type lost struct{ memories, memory, kept, base string }

func (b *beside) lose(t *testing.T, s shelf) (l lost) {
	t.Helper()
	var err error
	l.memory, err = b.app.Remember(t.Context(), "The lost memory")
	require.NoError(t, err)
	l.kept, err = b.app.Remember(t.Context(), "The kept memory")
	require.NoError(t, err)
	l.base, err = b.app.CreateKnowledge(t.Context(), "Lost")
	require.NoError(t, err)
	require.Contains(t, s.points(t, "knowledge-bases"), l.base)
	for _, name := range s.names(t) {
		if slices.Contains(s.points(t, name), l.memory) {
			l.memories = name
		}
	}
	require.NotEmpty(t, l.memories)
	s.exec(t, `DELETE FROM memory WHERE id = $1`, l.memory)
	s.exec(t, `DELETE FROM knowledge WHERE id = $1`, l.base)
	return l
}

// names are those of the events about what was lost.
func (l lost) names() []string {
	return []string{l.memories + "/" + l.memory, "knowledge-bases/" + l.base}
}

// awaitCollections waits until exactly those collections are gone that nothing uses.
func (b *beside) awaitCollections(t *testing.T, world openwebui.World, s shelf) {
	t.Helper()
	require.NotEmpty(t, world.UnusedCollections)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		there := s.names(t)
		for _, unused := range world.UnusedCollections {
			assert.NotContains(c, there, unused.Name, unused.Place)
		}
	}, signalTimeout, 200*pollEvery)
	there := s.names(t)
	for _, used := range world.UsedCollections {
		require.Contains(t, there, used.Name, used.Place)
	}
}

// awaitPoints waits until what was lost is gone from the collections that are in use.
func (b *beside) awaitPoints(t *testing.T, l lost, s shelf) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.NotContains(c, s.points(t, l.memories), l.memory)
		assert.NotContains(c, s.points(t, "knowledge-bases"), l.base)
	}, signalTimeout, 200*pollEvery)
	require.Contains(t, s.points(t, l.memories), l.kept)
	texts, err := b.app.Recall(t.Context(), "the memory")
	require.NoError(t, err)
	require.Contains(t, texts, "The kept memory")
	require.NotContains(t, texts, "The lost memory")
}
