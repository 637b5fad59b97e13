package vacuum_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/cmd/pruned/vacuum"
	"pruned/repo/testenv"
)

func session(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// emptied makes a table from which most rows were deleted, and returns its quoted name.
func emptied(t *testing.T, d *testenv.Database, name string) string {
	t.Helper()
	name = pgx.Identifier{d.Schema, name}.Sanitize()
	d.Exec(t, `CREATE TABLE `+name+` (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off)`)
	d.Exec(t, `INSERT INTO `+name+` SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 5000) i`)
	d.Exec(t, `DELETE FROM `+name+` WHERE id > 100`)
	d.Exec(t, `SELECT pg_stat_force_next_flush()`)
	return name
}

func readTable(t *testing.T, conn *pgx.Conn, name string) vacuum.Table {
	t.Helper()
	tables, err := vacuum.ReadTables(t.Context(), conn, []string{name, `"no"."such"`})
	require.NoError(t, err)
	require.Len(t, tables, 1)
	return tables[0]
}

func TestTableGetsItsPagesBack(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	name := emptied(t, d, `a "table`)
	conn := session(t, d.URL)
	before := readTable(t, conn, name)
	require.Equal(t, `public."a ""table"`, before.Name)
	require.True(t, before.MayVacuum)
	require.Nil(t, before.Vacuumed)
	require.EqualValues(t, 4900, before.Dead)
	require.NoError(t, before.Vacuum(t.Context(), conn))
	after := readTable(t, conn, name)
	require.Less(t, after.Bytes, before.Bytes, "the pages at its end were empty")
	require.Zero(t, after.Dead)
	require.EqualValues(t, 100, after.Live)
	require.NotNil(t, after.Vacuumed)
	require.Equal(t, 100, testenv.Value[int](t, d, `SELECT count(*) FROM `+name))
}

// Who may vacuum is what the server does: it only warns, and skips the table.
func TestRightToVacuum(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	name := emptied(t, d, "emptied")
	role := "vacuum_" + d.Name
	d.Exec(t, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() { d.Exec(t, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	d.Exec(t, `GRANT USAGE ON SCHEMA `+d.Schema+` TO `+role)
	conn := session(t, strings.Replace(d.URL, "postgres@", role+"@", 1))
	table := readTable(t, conn, name)
	require.False(t, table.MayVacuum)
	require.Equal(t, role, table.Role)
	require.NoError(t, table.Vacuum(t.Context(), conn))
	require.Nil(t, readTable(t, conn, name).Vacuumed, "skipped")
	require.Contains(t, table.Remedy(), "as postgres: VACUUM (ANALYZE) public.emptied;")
	if table.HasMaintain {
		_, grant, found := strings.Cut(table.Remedy(), "for ever: ")
		require.True(t, found)
		d.Exec(t, grant)
	} else {
		d.Exec(t, `ALTER TABLE `+name+` OWNER TO `+role)
	}
	require.True(t, readTable(t, conn, name).MayVacuum)
	require.NoError(t, table.Vacuum(t.Context(), conn))
	require.NotNil(t, readTable(t, conn, name).Vacuumed)
}

func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	name := emptied(t, d, "slow")
	conn, other := session(t, d.URL), session(t, d.URL)
	_, err := conn.Exec(t.Context(), `SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1`)
	require.NoError(t, err)
	vacuuming, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	table := readTable(t, conn, name)
	go func() { ended <- table.Vacuum(vacuuming, conn) }()
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	require.NoError(t, vacuum.WatchProgress(watching, other, conn.PgConn().PID(), func(stage string, _, total int64) {
		require.Contains(t, stage, "slow: ")
		require.Positive(t, total)
		stop()
	}))
	cancel()
	require.Error(t, <-ended)
}

func TestUnsoundHNSW(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"": false, "0.5.0": true, "0.8.3": true, "0.8": true, "0.8.4": false, "0.8.10": false, "0.9": false, "1.0.0": false} {
		require.Equal(t, want, vacuum.Table{HNSWVersion: version}.HasUnsoundHNSW(), version)
	}
	d := testenv.New(t, testenv.Vectors(testenv.VectorOptions{Dim: 3}))
	conn := session(t, d.URL)
	name := pgx.Identifier{d.Schema, "document_chunk"}.Sanitize()
	require.Empty(t, readTable(t, conn, name).HNSWVersion)
	d.Exec(t, `CREATE INDEX ON document_chunk USING hnsw (vector vector_cosine_ops)`)
	require.NotEmpty(t, readTable(t, conn, name).HNSWVersion)
}
