package pgvector

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/vectors"
)

// selection is rows that are named by keys: the names of whole collections, or the ids of
// points of one collection. Neither is ever encrypted.
type selection struct {
	what       string
	take, left string // statements; the first parameter is the keys
	args       []any  // the others
}

var wholeCollections = selection{what: "collections", take: takeCollections, left: leftCollectionsSQL}

func pointsOf(collection string) selection {
	return selection{what: "points of collection " + collection, take: takePoints, left: leftPointsSQL, args: []any{collection}}
}

// leftCollectionsSQL and leftPointsSQL tell by their number of rows how many of the keys
// still have any, by the same indexes as what was taken.
const (
	leftCollectionsSQL = `
SELECT DISTINCT collection_name FROM ONLY {table} WHERE collection_name = ANY(ARRAY(SELECT unnest($1::text[])))`

	takePoints = `ARRAY(
    SELECT ctid FROM ONLY {table} WHERE id = ANY(ARRAY(SELECT unnest($1::text[]))) AND collection_name = $2::text
       FOR UPDATE SKIP LOCKED)`

	leftPointsSQL = `
SELECT DISTINCT id FROM ONLY {table} WHERE id = ANY(ARRAY(SELECT unnest($1::text[]))) AND collection_name = $2::text`
)

// RemoveCollections removes whole collections. Those wait of which somebody else holds a
// row, or stored one meanwhile.
func (s *Store) RemoveCollections(ctx context.Context, tx vectors.Tx, names []string, _ vectors.Guard) (vectors.Removed, error) {
	if err := vectors.CheckWhole(names); err != nil {
		return vectors.Removed{}, err
	}
	return s.removeSelected(ctx, tx, names, wholeCollections)
}

// RemovePoints removes points of one collection by the index on their ids. Those wait that
// somebody else holds.
func (s *Store) RemovePoints(ctx context.Context, tx vectors.Tx, collection string, ids []string, _ vectors.Guard) (vectors.Removed, error) {
	if err := vectors.CheckListed(collection); err != nil {
		return vectors.Removed{}, err
	}
	return s.removeSelected(ctx, tx, ids, pointsOf(collection))
}

func (s *Store) removeSelected(ctx context.Context, tx vectors.Tx, keys []string, chosen selection) (removed vectors.Removed, err error) {
	if len(keys) == 0 {
		return removed, nil
	}
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	err = s.onTable(ctx, tx, "remove "+chosen.what, func(tx vectors.Tx, t *table, _ indexes) error {
		removed.Chunks, err = tx.Exec(ctx, t.deleteStatement(chosen.take), chosen.withKeys(keys)...)
		if err == nil {
			removed.Waiting, err = chosen.findLeft(ctx, tx, t, keys)
		}
		return describeFailure(err, "delete %d %s from %s", len(keys), chosen.what, t.quotedName())
	})
	return removed, err
}

func (s selection) withKeys(keys []string) []any { return append([]any{keys}, s.args...) }

// listLeft returns the keys that have rows.
func (s selection) listLeft(ctx context.Context, tx ownTx, t *table, keys []string) ([]string, error) {
	rows, _ := tx.Query(ctx, t.expandNames(s.left), s.withKeys(keys)...) // an error comes out of the rows as well
	left, err := pgx.AppendRows([]string(nil), rows, pgx.RowTo[string])
	return left, describeFailure(err, "look for %s in %s", s.what, t.quotedName())
}

// findLeft returns the keys that still have rows. A transaction tells only how many: where
// it is some of them, each half is asked about again.
func (s selection) findLeft(ctx context.Context, tx vectors.Tx, t *table, keys []string) ([]string, error) {
	left, err := tx.Exec(ctx, t.expandNames(s.left), s.withKeys(keys)...)
	switch {
	case err != nil || left == 0:
		return nil, err
	case left >= int64(len(keys)):
		return keys, nil
	}
	half := len(keys) / 2
	lower, err := s.findLeft(ctx, tx, t, keys[:half])
	if err != nil {
		return nil, err
	}
	upper, err := s.findLeft(ctx, tx, t, keys[half:])
	return slices.Concat(lower, upper), err
}
