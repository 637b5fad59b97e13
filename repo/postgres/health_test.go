package postgres_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// examined is the finding of one check.
func examined(t testing.TB, db *postgres.DB, check string) repo.Finding {
	t.Helper()
	found, err := db.CheckDatabase(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(found, func(f repo.Finding) bool { return f.Check == check })
	require.GreaterOrEqual(t, i, 0, "no check of %s", check)
	return found[i]
}

// What Grants says is enough for a role that holds nothing, also for a strict
// one, and nothing of it can be left out.
func TestGrantsAreTheLeastThatIsEnough(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]postgres.Options{"plain": {}, "strict": {Strict: true}, "removing": {RemovesDangling: true}, "ignoring": {Ignore: []string{"note", "chat", "memory", "user", "knowledge"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t, testenv.InSchema())
			d.Exec(t, `REVOKE ALL ON DATABASE `+d.Name+` FROM PUBLIC`)
			d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v text); ALTER TABLE chat_file DROP CONSTRAINT chat_file_file_id_fkey`)
			if name == "plain" { // the vectors are on the role's own path, whatever DATABASE_SCHEMA is
				d.Exec(t, `CREATE TABLE public.document_chunk (id text PRIMARY KEY, collection_name text, text text, vmetadata jsonb)`)
			}
			options.URL, options.Schema = d.URL, d.Schema
			admin, err := postgres.Open(t.Context(), options)
			require.NoError(t, err)
			t.Cleanup(admin.Close)
			const whole = -1
			grants, err := admin.Grants(t.Context(), `a "role"`)
			require.NoError(t, err)
			require.Len(t, grants, map[string]int{"plain": 8, "strict": 8, "removing": 7, "ignoring": 7}[name])
			for without := whole; without < len(grants)-1; without++ { // but the last, which is about the future
				role := fmt.Sprintf("role %d of %s", without+1, d.Name)
				d.Exec(t, `CREATE ROLE "`+role+`" LOGIN`)
				for i, grant := range grants {
					if i != without {
						d.Exec(t, strings.ReplaceAll(grant, `"a ""role"""`, `"`+role+`"`))
					}
				}
				err := everything(t, d, options, role)
				d.Exec(t, `DROP OWNED BY "`+role+`" CASCADE; DROP ROLE "`+role+`"`)
				if without == whole {
					require.NoError(t, err)
				} else {
					require.Error(t, err, "without %s", grants[without])
				}
			}
		})
	}
}

// everything does as a role what pruned ever does with the database.
func everything(t *testing.T, d *testenv.Database, options postgres.Options, role string) error {
	t.Helper()
	u, err := url.Parse(d.URL)
	require.NoError(t, err)
	u.User = url.User(role)
	options.URL = u.String()
	db, err := postgres.Open(t.Context(), options)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		return err
	}
	ids := newFiles(t, d, 1)
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ($1, 'u', 'gone', $1, 1, 1)`, ids[0])
	if err := db.IndexAll(t.Context(), nil); err != nil {
		return err
	}
	found, err := db.CheckDatabase(t.Context())
	if err != nil {
		return err
	}
	for _, f := range found {
		if !f.OK && f.Check != "foreign keys" {
			return fmt.Errorf("%s: %s", f.Check, f.Detail)
		}
	}
	if err := leftoverCalls(t, db); err != nil {
		return err
	}
	if options.RemovesDangling {
		if err := removeDangling(t, db); err != nil {
			return err
		}
	}
	return wholeDeletion(db, ids, nothing, nothing)
}

// removeDangling removes rows without a parent of every table that may have some.
func removeDangling(t *testing.T, db *postgres.DB) error {
	t.Helper()
	return db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		counts, err := db.CountDangling(t.Context(), tx)
		require.Len(t, counts, len(openwebui.DanglingTables))
		for _, count := range counts {
			ids, err := db.ListDangling(t.Context(), tx, count.Table, "", 10)
			if err == nil {
				_, err = db.RemoveDangling(t.Context(), tx, count.Table, ids)
			}
			if err != nil {
				return err
			}
		}
		return err
	})
}

// leftoverCalls asks what things in a vector store live by.
func leftoverCalls(t *testing.T, db *postgres.DB) error {
	t.Helper()
	if err := db.SetNames(t.Context(), []string{"web-search-a"}); err != nil {
		return err
	}
	if err := db.IndexAll(t.Context(), nil); err != nil {
		return err
	}
	return db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		for _, d := range []repo.Direction{repo.FromCollections, repo.FromPoints} {
			if _, err := db.CheckSanity(t.Context(), tx, d, 1); err != nil {
				return err
			}
			if _, err := db.ReadGrace(t.Context(), tx, d, []string{"a"}); err != nil {
				return err
			}
		}
		for _, table := range openwebui.VectorOwners {
			if _, err := db.FindMissingRows(t.Context(), tx, table, []string{"a"}); err != nil {
				return err
			}
		}
		_, err := db.FindUnmentioned(t.Context(), tx, []string{"web-search-a"})
		return err
	})
}

func TestExamination(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pgvector")
	d, db := newDB(t, testenv.Vectors(testenv.VectorOptions{Dim: 3}))
	require.Contains(t, examined(t, db, "versions").Detail, "PostgreSQL 1")
	require.Contains(t, examined(t, db, "versions").Detail, "pgvector 0.")
	require.Contains(t, examined(t, db, "revision").Detail, "known")
	d.Exec(t, `UPDATE alembic_version SET version_num = 'fedcba987654'`)
	newer := examined(t, db, "revision")
	require.True(t, newer.OK)
	require.Contains(t, newer.Detail, "fedcba987654")
	require.NotEmpty(t, newer.Remedy)
	require.True(t, examined(t, db, "clocks").OK)
	require.Contains(t, examined(t, db, "reference index").Detail, "not there yet")

	ids := newFiles(t, d, 3)
	insertMention(t, d, ids[0])
	require.NoError(t, db.SetNames(t.Context(), []string{"web-search-a"}))
	refresh(t, db)
	require.Contains(t, examined(t, db, "reference index").Detail, "3 files, 1 references")
	d.Exec(t, `UPDATE pruned.state SET passed_at = passed_at - interval '2 days'`)
	require.Contains(t, examined(t, db, "reference index").Remedy, "pruned run")
	d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v text)`)
	incomplete := examined(t, db, "reference index")
	require.False(t, incomplete.OK)
	require.Contains(t, incomplete.Detail, "extra")

	require.Equal(t, "none", examined(t, db, "candidates").Detail)
	inTx(t, db, func(tx tx) {
		require.NoError(t, db.SetGrace(t.Context(), tx, repo.FromRows, ids[1:], nil))
	})
	require.Contains(t, examined(t, db, "candidates").Detail, "2 rows, 0 with vectors")
}

// A foreign key to table file without an index costs a whole table for each file.
func TestMissingIndexesAreTold(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	require.Empty(t, examined(t, db, "indexes").Remedy)
	d.Exec(t, `CREATE TABLE "Big one" (id int PRIMARY KEY, "file id" varchar REFERENCES file ON DELETE CASCADE, v text);
		INSERT INTO "Big one" SELECT i, NULL, repeat('x', 1000) FROM generate_series(1, 2000) i`)
	missing := examined(t, db, "indexes")
	require.True(t, missing.OK)
	require.Contains(t, missing.Detail, "MiB")
	d.Exec(t, missing.Remedy)
	require.Empty(t, examined(t, db, "indexes").Remedy)
}

// Enabled webhooks are told wherever the application keeps them.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	webhooks := func() []string {
		urls, err := db.ListWebhooks(t.Context())
		require.NoError(t, err)
		return urls
	}
	require.Empty(t, webhooks())
	for _, value := range []string{`null`, `[]`, `{}`, `"x"`, `[1]`, `[{"enabled":true}]`} {
		d.Exec(t, `INSERT INTO config (key, value) VALUES ('events.webhooks', $1::json) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, value)
		require.Empty(t, webhooks(), value)
	}
	d.Exec(t, `UPDATE config SET value = '[{"url":"http://a/webhook/t","enabled":true},{"url":"http://b","enabled":false},{"url":"http://c"}]' WHERE key = 'events.webhooks'`)
	require.Equal(t, []string{"http://a/webhook/t", "http://c"}, webhooks())

	_, old := newDB(t, testenv.Revision(testenv.Revisions[0]))
	urls, err := old.ListWebhooks(t.Context())
	require.NoError(t, err)
	require.Empty(t, urls)
}
