package repo

import "context"

// DanglingRows are rows of the application's that nothing in it can reach: a parent of
// theirs is gone (openwebui.Dangling). Where the table of a parent has not a single row that
// one is taken for there, since a restore may bring them. A table, or a column, that the
// application's revision does not have is left out.
type DanglingRows interface {
	// CountDangling counts the rows of each table, and those without a parent.
	CountDangling(ctx context.Context, tx Tx) ([]DanglingCount, error)

	// ListDangling lists the ids of up to limit rows of a table without a parent, after an
	// id, in an order of the engine's own.
	ListDangling(ctx context.Context, tx Tx, table, after string, limit int) ([]string, error)

	// RemoveDangling removes those of these rows that are without a parent still, as of now
	// and without the word of an index, and says how many went.
	RemoveDangling(ctx context.Context, tx Tx, table string, ids []string) (int64, error)
}

// DanglingCount counts the rows of a table of the application's.
type DanglingCount struct {
	Table string `json:"table"`
	Found int64  `json:"found"` // without a parent
	Total int64  `json:"total"`
}
