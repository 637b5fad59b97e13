package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/openwebui"
	"pruned/repo/testenv"
)

// leastRole is a role of an installation whose database grants nothing to everybody.
type leastRole struct {
	as, owner *installation
	name      string
	orphans   []string
	inUse     []string
}

// newLeastRole makes the role, and grants it nothing yet.
func newLeastRole(t *testing.T, settings ...string) *leastRole {
	t.Helper()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1", "PRUNED_TRASH=72h").with(settings...)
	seeded := i.seed(t, 20, 4)
	r := makeLeastRole(t, i)
	r.orphans, r.inUse = seeded.Orphans, seeded.InUse
	return r
}

func makeLeastRole(t *testing.T, i *installation) *leastRole {
	t.Helper()
	r := &leastRole{owner: i, name: "least_of_" + i.Name}
	r.as = i.with("DATABASE_URL=" + strings.Replace(i.URL, "postgres@", r.name+"@", 1))
	i.Exec(t, `CREATE ROLE `+r.name+` LOGIN`)
	t.Cleanup(func() {
		i.Exec(t, `DROP OWNED BY `+r.name+` CASCADE`)
		i.Exec(t, `DROP ROLE `+r.name)
	})
	i.Exec(t, `REVOKE ALL ON DATABASE `+i.Name+` FROM PUBLIC`)
	i.Exec(t, `REVOKE ALL ON SCHEMA public FROM PUBLIC`)
	return r
}

// grants are what doctor prints, a statement for each privilege on each thing.
func (r *leastRole) grants(t *testing.T) (list []string) {
	t.Helper()
	for _, statement := range ask[[]string](t, r.owner, "doctor", "--grants", r.name) {
		before, rest, on := strings.Cut(statement, " ON ")
		things, role, _ := strings.Cut(rest, " TO ")
		if !on {
			list = append(list, statement)
			continue
		}
		for thing := range strings.SplitSeq(things, ", ") {
			list = append(list, before+" ON "+thing+" TO "+role)
		}
	}
	return list
}

var ownedBy = regexp.MustCompile(` OWNER TO .*`)

// undoing is the statement that takes a grant back.
func undoing(grant string) string {
	if strings.Contains(grant, " OWNER TO ") {
		return ownedBy.ReplaceAllString(grant, " OWNER TO postgres;")
	}
	return strings.NewReplacer("GRANT ", "REVOKE ", " TO ", " FROM ").Replace(grant)
}

// requireNamed checks that a health check names one statement, and returns it.
func (r *leastRole) requireNamed(t *testing.T, grant string) {
	t.Helper()
	bare := func(text string) string { return strings.ReplaceAll(text, `"`, "") }
	d := r.as.diagnose(t, "--quick")
	require.False(t, d.OK, grant)
	i := slices.IndexFunc(d.Checks, func(f finding) bool { return !f.OK })
	if d.Checks[i].Check == "privileges" {
		require.Equal(t, bare(grant), bare(d.Checks[i].Remedy))
		return
	}
	require.Contains(t, bare(d.Checks[i].Detail), bare(grant))
	require.Len(t, statements.FindAllString(d.Checks[i].Detail, -1), 1)
}

// statements finds what an operator is to run.
var statements = regexp.MustCompile(`(GRANT|ALTER|CREATE) [^;]* (TO|AUTHORIZATION) [^;]*;`)

// requireNothingGoes checks that the work stops, and that no file went. What a sweep finds
// for the first time the second removes.
func (r *leastRole) requireNothingGoes(t *testing.T, grant string) {
	t.Helper()
	status := exitDone
	for _, args := range [][]string{{"explain", r.orphans[0]}, {"sweep"}, {"sweep"}} {
		if status == exitDone {
			status, _, _ = r.as.pruned(t, "", args...)
		}
	}
	require.Equal(t, exitFailed, status, "nothing notices that it is missing: %s", grant)
	require.Equal(t, left{4, 4, 4}, r.owner.left(t, r.orphans...), grant)
}

// doctorsOwn are what the work can do without, and doctor asks for.
var doctorsOwn = []string{
	`"alembic_version"`, // tells of a release that is not known
	"FUNCTION",          // a migration that replaces it takes its owner
}

// A role with the statements that doctor prints does a whole job. Without any one of them
// doctor names that one, the work stops, and what it names is all that was missing.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	r := newLeastRole(t)
	fresh := r.grants(t)
	for _, grant := range fresh {
		r.owner.Exec(t, grant)
	}
	r.revokeInTurn(t, fresh)
	r.requireLaterTablesAreNamed(t, fresh)
	r.as.must(t, "migrate")
	r.revokeInTurn(t, slices.DeleteFunc(r.grants(t), func(s string) bool { return !strings.Contains(s, " OWNER TO ") }))
	r.requireJob(t)
}

// Deletions that lock tables, and rows besides files, take more of a role: each is named.
func TestLeastPrivilegeOfSettings(t *testing.T) {
	t.Parallel()
	r := newLeastRole(t, "PRUNED_STRICT=true", "PRUNED_ROWS=dangling")
	plain := (&leastRole{owner: r.owner.with("PRUNED_STRICT=false", "PRUNED_ROWS=keep"), name: r.name}).grants(t)
	all := r.grants(t)
	for _, grant := range all {
		r.owner.Exec(t, grant)
	}
	r.as.must(t, "migrate")
	r.owner.Exec(t, `ALTER TABLE channel_member DROP CONSTRAINT IF EXISTS ck_channel_member_identity`) // fillSQL fills without sense
	extra := slices.DeleteFunc(all, func(s string) bool { return slices.Contains(plain, s) })
	for _, grant := range extra {
		r.fillDangling(t)
		r.revokeInTurn(t, []string{grant})
	}
	r.requireJob(t)
	require.Zero(t, testenv.Value[int](t, r.owner.Database, `SELECT count(*) FROM memory`))
}

// Encrypted chunks are read by a function of the session, and by pgcrypto, wherever it lies.
func TestLeastPrivilegeOfEncryptedChunks(t *testing.T) {
	t.Parallel()
	const key = "a key of the test's"
	i := install(t, testenv.Vectors(testenv.VectorOptions{Dim: 3, Crypto: key})).with("PRUNED_MAX_FRACTION=1", "PGVECTOR_PGCRYPTO=true", "PGVECTOR_PGCRYPTO_KEY="+key)
	i.Exec(t, `CREATE SCHEMA extensions; ALTER EXTENSION pgcrypto SET SCHEMA extensions`)
	r := makeLeastRole(t, i)
	insert := func(collection, file string) {
		i.Exec(t, `INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)
VALUES ($1, '[1,2,3]', $2, extensions.pgp_sym_encrypt('a text', $4), extensions.pgp_sym_encrypt('{"file_id":"' || $3 || '", "name":"a"}', $4))`, testenv.NewID(), collection, file, key)
	}
	orphan, used := testenv.NewFile(t, i.Pool), testenv.NewFile(t, i.Pool)
	shelf := testenv.InsertKnowledge(t, i.Pool, used)
	insert(testenv.FileCollection(orphan), orphan)
	insert(shelf, used)
	for _, grant := range r.grants(t) {
		i.Exec(t, grant)
	}
	r.as.must(t, "migrate")
	chunks := func() int { return testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk`) }
	for _, grant := range []string{`GRANT TEMPORARY ON DATABASE ` + i.Name + ` TO "` + r.name + `";`, `GRANT USAGE ON SCHEMA extensions TO "` + r.name + `";`} {
		require.Contains(t, r.grants(t), grant)
		i.Exec(t, undoing(grant))
		r.requireNamed(t, grant)
		status, _, _ := r.as.pruned(t, "", "run", "--once")
		require.Equal(t, exitFailed, status, grant)
		require.Equal(t, 2, chunks(), grant)
		i.Exec(t, grant)
	}
	require.True(t, ask[diagnosis](t, r.as, "doctor").OK)
	require.Equal(t, 1, ask[onceReport](t, r.as, "run", "--once").Summary.Deleted)
	require.Equal(t, 1, chunks())
}

// fillSQL inserts a row with one text wherever it has a text.
const fillSQL = `
INSERT INTO TABLE SELECT (jsonb_populate_record(NULL::TABLE, (
    SELECT jsonb_object_agg(a.attname, CASE y.typcategory WHEN 'S' THEN to_jsonb($1::text) WHEN 'N' THEN '1' WHEN 'B' THEN 'false' ELSE '{}' END)
      FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
     WHERE a.attrelid = 'TABLE'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND (a.attnotnull OR y.typcategory = 'S')))).*
ON CONFLICT DO NOTHING`

// fillDangling makes a dangling row of each kind, past the keys, as a restore may.
func (r *leastRole) fillDangling(t *testing.T) {
	t.Helper()
	conn := r.owner.Conn(t)
	_, err := conn.Exec(t.Context(), `SET session_replication_role = replica`)
	require.NoError(t, err)
	fill := func(table, text string) {
		_, err := conn.Exec(t.Context(), strings.ReplaceAll(fillSQL, "TABLE", `"`+table+`"`), text)
		require.NoError(t, err)
	}
	for _, parent := range []string{"channel", "message", "chat", "knowledge", "user"} {
		fill(parent, "there")
	}
	for _, child := range openwebui.DanglingTables {
		fill(child, "gone from "+child)
	}
}

// requireLaterTablesAreNamed checks that the last grant is about tables that are made later.
func (r *leastRole) requireLaterTablesAreNamed(t *testing.T, grants []string) {
	t.Helper()
	later := grants[len(grants)-1]
	r.owner.Exec(t, `CREATE TABLE later (id text PRIMARY KEY)`)
	require.True(t, r.as.diagnose(t, "--quick").of(t, "privileges").OK)
	r.owner.Exec(t, undoing(later))
	r.owner.Exec(t, `CREATE TABLE latest (id text PRIMARY KEY)`)
	grant := `GRANT SELECT ON "public"."latest" TO "` + r.name + `";`
	r.requireNamed(t, grant)
	r.requireNothingGoes(t, grant)
	r.owner.Exec(t, grant)
	r.owner.Exec(t, later)
}

// revokeInTurn takes each grant back and gives what doctor names then.
func (r *leastRole) revokeInTurn(t *testing.T, grants []string) {
	t.Helper()
	for _, grant := range grants {
		switch {
		case strings.HasPrefix(grant, "CREATE SCHEMA"):
			r.owner.Exec(t, `DROP SCHEMA IF EXISTS pruned CASCADE`)
		case strings.HasPrefix(grant, "ALTER DEFAULT"):
			continue
		default:
			r.owner.Exec(t, undoing(grant))
		}
		r.requireNamed(t, grant)
		if !slices.ContainsFunc(doctorsOwn, func(s string) bool { return strings.Contains(grant, s) }) {
			r.requireNothingGoes(t, grant)
		}
		r.owner.Exec(t, grant)
	}
}

// requireJob sweeps, deletes, restores and removes, and checks what is left.
func (r *leastRole) requireJob(t *testing.T) {
	t.Helper()
	require.True(t, ask[diagnosis](t, r.as, "doctor").OK)
	before := r.owner.left(t, r.inUse...)
	require.Equal(t, 4, ask[onceReport](t, r.as, "run", "--once").Summary.Deleted)
	status, _, errs := r.as.pruned(t, "", "restore", r.orphans[0])
	require.Equal(t, exitFailed, status)
	restores := `GRANT INSERT ON "public"."file" TO "` + r.name + `";`
	require.Contains(t, errs, restores)
	r.owner.Exec(t, restores)
	r.as.must(t, "restore", r.orphans[0])
	r.owner.Exec(t, undoing(restores))
	require.Equal(t, left{rows: 1, bytes: 1}, r.owner.left(t, r.orphans[0]))
	r.as.must(t, "trash", "empty")
	require.Equal(t, 1, ask[onceReport](t, r.as, "run", "--once").Summary.Deleted)
	r.as.must(t, "trash", "empty")
	r.as.must(t, "run", "--once")
	require.Equal(t, nothing, r.owner.left(t, r.orphans...))
	require.Equal(t, before, r.owner.left(t, r.inUse...))
}
