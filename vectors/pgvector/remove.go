package pgvector

import (
	"context"
	"fmt"

	"pruned/config/secret"
	"pruned/vectors"
)

// Info says that the table lies beside those of the rows.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: "pgvector", InDatabase: true} }

// RemoveInTx removes by index the chunks of these files, and locks only them. rest is
// true where there is no index on the file's id (always, if the table is encrypted), and
// where somebody else held a chunk.
func (s *Store) RemoveInTx(ctx context.Context, tx vectors.Tx, ids []string) (chunks int64, rest bool, err error) {
	if len(ids) == 0 {
		return 0, false, nil
	}
	t, found, err := s.resolveTable(ctx, tx, s.findTableInSession)
	if err != nil || t.isAbsent() {
		return 0, false, err
	}
	if !found.collection {
		return 0, true, nil
	}
	if !found.fileID {
		chunks, err = t.execDelete(ctx, tx, t.deleteStatement(takeCollections), len(ids), vectors.FileCollections(ids))
		return chunks, true, err
	}
	return t.removeByIndex(ctx, tx, ids)
}

// removeByIndex removes all chunks and looks whether any is left.
func (t *table) removeByIndex(ctx context.Context, tx vectors.Tx, ids []string) (chunks int64, rest bool, err error) {
	own := vectors.FileCollections(ids)
	chunks, err = t.execDelete(ctx, tx, t.deleteStatement(takeCollections+" || "+takeShared), len(ids), own, ids)
	if err != nil {
		return 0, false, err
	}
	left, err := tx.Exec(ctx, t.expandNames(leftSQL), own, ids)
	if err != nil {
		return 0, false, fmt.Errorf("look for chunks left in %s: %w", t.quotedName(), err)
	}
	return chunks, left > 0, nil
}

// Remove removes the chunks of these files by index or, where there is none, in
// one pass over the table. Without tx it opens a transaction of its own. Nothing
// waits: what was deleted is gone with the commit.
func (s *Store) Remove(ctx context.Context, tx vectors.Tx, ids []string) (removed vectors.Removed, err error) {
	if len(ids) == 0 {
		return removed, nil
	}
	err = s.onTable(ctx, tx, "remove chunks", func(tx vectors.Tx, t *table, found indexes) error {
		removed.Chunks, err = s.removeChunks(ctx, tx, t, found, ids)
		return err
	})
	return removed, err
}

// onTable runs fn on the table, if there is one, inside tx or, without tx, in a
// transaction of its own.
func (s *chunkTable) onTable(ctx context.Context, tx vectors.Tx, doing string, fn func(vectors.Tx, *table, indexes) error) error {
	resolved := func(tx vectors.Tx, find func(context.Context) (*table, error)) error {
		t, found, err := s.resolveTable(ctx, tx, find)
		if err != nil || t.isAbsent() {
			return err
		}
		return fn(tx, t, found)
	}
	if tx != nil {
		return resolved(tx, s.findTableInSession)
	}
	return s.inTx(ctx, doing, func(tx ownTx) error {
		return resolved(tx, func(ctx context.Context) (*table, error) { return s.findTable(ctx, tx) })
	})
}

func (s *chunkTable) removeChunks(ctx context.Context, tx vectors.Tx, t *table, found indexes, ids []string) (int64, error) {
	if found.collection && found.fileID {
		chunks, _, err := t.removeByIndex(ctx, tx, ids)
		return chunks, err
	}
	if err := s.tryKey(ctx, tx, t); err != nil {
		return 0, err
	}
	args := t.withKey(s.key, vectors.FileCollections(ids), ids)
	return t.execDelete(ctx, tx, t.deleteStatement(takeByScan), len(ids), args...)
}

// withKey adds the key where statements decrypt. It is a parameter, so that no
// error quotes it.
func (t *table) withKey(key secret.Text, args ...any) []any {
	if t.encrypted {
		return append(args, string(key))
	}
	return args
}

func (t *table) execDelete(ctx context.Context, tx vectors.Tx, sql string, files int, args ...any) (int64, error) {
	chunks, err := tx.Exec(ctx, sql, args...)
	return chunks, describeFailure(err, "delete the chunks of %d files from %s", files, t.quotedName())
}
