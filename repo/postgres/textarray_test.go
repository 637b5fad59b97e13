package postgres_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// TextArrays: the server reads from both formats what was sent, prepared and not, and in batches.
func TestTextArraysArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), testenv.New(t).URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	postgres.UseTextArrays(conn.TypeMap())

	lists := [][]string{
		{}, {""}, {"NULL", "null", "", " "}, {`"`, `\`, `\"{},`, "{}", ",", `a\`}, {"größer", "日本", "\n\t'"},
		slices.Repeat([]string{`0b1c-"x"\`, "b"}, 5000), nil,
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeCacheStatement} {
		for _, list := range lists {
			var got []string
			var n *int
			batch := &pgx.Batch{}
			row := conn.QueryRow(t.Context(), `SELECT $1::text[], cardinality($2::text[])`, mode, list, list)
			require.NoError(t, row.Scan(&got, &n))
			require.Equal(t, list, got)
			if list == nil {
				require.Nil(t, n)
				continue
			}
			require.Equal(t, len(list), *n)
			batch.Queue(`SELECT $1::text[]`, list).QueryRow(func(row pgx.Row) error { return row.Scan(&got) })
			require.NoError(t, conn.SendBatch(t.Context(), batch).Close())
			require.Equal(t, list, got)
		}
	}
}

// Not in parallel: what others allocate is counted too, and far below what each element would.
func TestTextArraysAreSentInOnePiece(t *testing.T) {
	types := pgtype.NewMap()
	postgres.UseTextArrays(types)
	list := slices.Repeat([]string{testenv.NewID()}, 50_000)
	for _, oid := range []uint32{pgtype.TextArrayOID, 0} {
		for _, format := range []int16{pgtype.TextFormatCode, pgtype.BinaryFormatCode} {
			require.Less(t, testing.AllocsPerRun(3, func() {
				_, err := types.Encode(oid, format, list, nil)
				require.NoError(t, err)
			}), 10_000.0)
		}
	}
}
