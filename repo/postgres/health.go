package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// CheckDatabase checks everything that pruned needs of the database, and goes on where something
// is wrong. It changes nothing.
func (db *DB) CheckDatabase(ctx context.Context) (found []repo.Finding, err error) {
	checks := []func(context.Context) ([]repo.Finding, error){
		db.Privileges, db.checkVersions, db.checkSchema, db.checkSearched, db.checkClock, db.checkTimes,
		db.checkTransactions, db.checkForeignKeys, db.checkIndexes,
	}
	made, err := db.hasSchema(ctx)
	if err != nil {
		return nil, err
	}
	if made {
		checks = append(checks, db.checkIndex, db.checkCapture, db.checkCandidates)
	} else {
		checks = append(checks, notMade)
	}
	for _, check := range checks {
		findings, err := check(ctx)
		if err != nil && repo.KindOf(err) != repo.Environment {
			return found, err
		}
		if err != nil {
			findings = []repo.Finding{{Check: "database", Detail: err.Error()}}
		}
		found = append(found, findings...)
	}
	return found, nil
}

func (db *DB) checkVersions(ctx context.Context) ([]repo.Finding, error) {
	var server, vector, revision string
	err := db.readRow(ctx, `SELECT current_setting('server_version'),
		coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), ''),
		coalesce((SELECT string_agg(version_num, ', ') FROM `+db.quotedTable("alembic_version")+`), '')`, nil, &server, &vector, &revision)
	if err != nil {
		return nil, pgerr.Translate(err, "read versions")
	}
	detail := fmt.Sprintf("PostgreSQL %s, ", server)
	if vector != "" {
		detail += fmt.Sprintf("pgvector %s, ", vector)
	}
	detail += fmt.Sprintf("database %s, schema %s", db.identity.Name, db.schema)
	return []repo.Finding{{Check: "versions", OK: true, Detail: detail}, repo.CheckRevision(revision)}, nil
}

// clockTolerance is how far the clocks may be apart. Ages are measured by the database's,
// scheduled events by the queue's.
const clockTolerance = time.Minute

func (db *DB) checkClock(ctx context.Context) ([]repo.Finding, error) {
	var theirs time.Time
	before := time.Now()
	if err := db.readRow(ctx, `SELECT clock_timestamp()`, nil, &theirs); err != nil {
		return nil, pgerr.Translate(err, "read the clock")
	}
	took := time.Since(before)
	apart := theirs.Sub(before.Add(took / 2)).Abs()
	f := repo.Finding{Check: "clocks", OK: apart <= clockTolerance+took, Detail: fmt.Sprintf("the database's and this machine's are %s apart", apart.Round(time.Millisecond))}
	if !f.OK {
		f.Remedy = "synchronize them (NTP)"
	}
	return []repo.Finding{f}, nil
}

const candidateCountsSQL = `
SELECT count(*) FILTER (WHERE direction = 'row'), count(*) FILTER (WHERE direction = 'vector'), count(*) FILTER (WHERE direction = 'bytes'),
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(first_seen)), 0), 0)::float8
  FROM pruned.candidate`

func (db *DB) checkCandidates(ctx context.Context) ([]repo.Finding, error) {
	var c repo.CandidateSummary
	var oldest float64
	err := db.readRow(ctx, candidateCountsSQL, nil, &c.Rows, &c.Vectors, &c.Bytes, &oldest)
	c.Oldest = toDuration(oldest)
	return []repo.Finding{c.ToFinding()}, pgerr.Translate(err, "count the candidates")
}

// checkSchema names the schema that was found: without DATABASE_SCHEMA it is a guess by
// our own role's search path, where the application goes by its own role's.
func (db *DB) checkSchema(ctx context.Context) ([]repo.Finding, error) {
	var role string
	var all []string
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		if err = t.QueryRow(ctx, `SELECT session_user::text`).Scan(&role); err != nil {
			return err
		}
		all, err = refindex.ReadColumn[string](ctx, t, installationsSQL)
		return err
	})
	if err != nil {
		return nil, pgerr.Translate(err, "look for Open WebUI's tables")
	}
	f := repo.Finding{Check: "schema", OK: true, Detail: "Open WebUI's tables are in schema " + refindex.QuoteName(db.schema)}
	if db.options.Schema == "" {
		f.Detail += " (DATABASE_SCHEMA is unset: the first of role " + refindex.QuoteName(role) + "'s search path that has them)"
	}
	if others := slices.DeleteFunc(all, func(s string) bool { return s == db.schema }); len(others) > 0 {
		f.Detail += "; another Open WebUI's are in " + strings.Join(others, ", ")
		f.Remedy = "set DATABASE_SCHEMA to the one that is meant"
	}
	if role == "pruned" {
		f.Detail += "; role pruned has our own schema before it on its search path, so that an application that connects as this role would make new tables there"
		f.Remedy = "ALTER ROLE pruned SET search_path = " + refindex.QuoteName(db.schema) + ", public;"
	}
	return []repo.Finding{f}, nil
}
