package postgres

import (
	"context"
	"fmt"
	"time"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// Examine looks at everything that pruned needs of the database, and goes on
// where something is wrong. It changes nothing.
func (db *DB) Examine(ctx context.Context) (found []repo.Finding, err error) {
	checks := []func(context.Context) ([]repo.Finding, error){
		db.Privileges, db.examineVersions, db.examineSchema, db.examineSearched, db.examineClock, db.examineTimes,
		db.examineTransactions, db.examineForeignKeys, db.examineIndexes,
	}
	made, err := db.hasSchema(ctx)
	if err != nil {
		return nil, err
	}
	if made {
		checks = append(checks, db.examineIndex, db.examineCandidates)
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

func (db *DB) examineVersions(ctx context.Context) ([]repo.Finding, error) {
	var server, vector, revision string
	err := db.readRow(ctx, `SELECT current_setting('server_version'),
		coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), ''),
		coalesce((SELECT string_agg(version_num, ', ') FROM `+db.table("alembic_version")+`), '')`, nil, &server, &vector, &revision)
	if err != nil {
		return nil, pgerr.Translate(err, "read versions")
	}
	detail := fmt.Sprintf("PostgreSQL %s, ", server)
	if vector != "" {
		detail += fmt.Sprintf("pgvector %s, ", vector)
	}
	detail += fmt.Sprintf("database %s, schema %s", db.identity.Name, db.schema)
	return []repo.Finding{{Check: "versions", OK: true, Detail: detail}, repo.ExamineRevision(revision)}, nil
}

// clockTolerance is how far the clocks may be apart. Ages are measured by the
// database's, scheduled claims by the queue's.
const clockTolerance = time.Minute

func (db *DB) examineClock(ctx context.Context) ([]repo.Finding, error) {
	var theirs time.Time
	before := time.Now()
	if err := db.readRow(ctx, `SELECT clock_timestamp()`, nil, &theirs); err != nil {
		return nil, pgerr.Translate(err, "read the clock")
	}
	took := time.Since(before)
	apart := theirs.Sub(before.Add(took / 2)).Abs()
	f := repo.Finding{Check: "clocks", OK: apart <= clockTolerance+took, Detail: fmt.Sprintf("the database's and this machine's are %s apart", apart.Round(time.Millisecond))}
	if !f.OK {
		f.Do = "synchronize them (NTP)"
	}
	return []repo.Finding{f}, nil
}

const examineCandidatesSQL = `
SELECT count(*) FILTER (WHERE direction = 'row'), count(*) FILTER (WHERE direction = 'vector'), count(*) FILTER (WHERE direction = 'bytes'),
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(first_seen)), 0), 0)::float8
  FROM pruned.candidate`

func (db *DB) examineCandidates(ctx context.Context) ([]repo.Finding, error) {
	var c repo.Candidates
	var oldest float64
	err := db.readRow(ctx, examineCandidatesSQL, nil, &c.Rows, &c.Vectors, &c.Bytes, &oldest)
	c.Oldest = seconds(oldest)
	return []repo.Finding{c.Examine()}, pgerr.Translate(err, "count the candidates")
}
