package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/repo"
)

// CheckDatabase looks at everything that pruned needs of the database. It changes
// nothing.
func (db *DB) CheckDatabase(ctx context.Context) (found []repo.Finding, err error) {
	checks := []func(context.Context) ([]repo.Finding, error){
		db.examineVersions, single(db.examineJournal), single(db.examineTimes), single(db.examineLinks), single(db.examineIndex),
		single(db.examineVirtual), db.examineRows,
	}
	var made bool
	if _, err := queryOne(ctx, db.pool, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'pruned_candidate')`, nil, &made); err != nil {
		return nil, translate(err, "look for our own tables")
	}
	if made {
		checks = append(checks, single(db.examineCandidates))
	}
	for _, check := range checks {
		findings, err := check(ctx)
		if err != nil {
			return found, err
		}
		found = append(found, findings...)
	}
	if !made {
		found = append(found, repo.Finding{Check: "tables of pruned", OK: true, Detail: "not there yet", Remedy: "pruned run makes them"})
	}
	return found, nil
}

func single(check func(context.Context) (repo.Finding, error)) func(context.Context) ([]repo.Finding, error) {
	return func(ctx context.Context) ([]repo.Finding, error) {
		f, err := check(ctx)
		return []repo.Finding{f}, err
	}
}

func (db *DB) examineVersions(ctx context.Context) ([]repo.Finding, error) {
	var library string
	if _, err := queryOne(ctx, db.pool, `SELECT sqlite_version()`, nil, &library); err != nil {
		return nil, translate(err, "read versions")
	}
	revisions, err := queryColumn[string](ctx, db.pool, `SELECT version_num FROM alembic_version`)
	if err != nil {
		return nil, translate(err, "read versions")
	}
	return []repo.Finding{
		{Check: "versions", OK: true, Detail: fmt.Sprintf("SQLite %s, %s", library, db.options.Path)},
		repo.CheckRevision(strings.Join(revisions, ", ")),
		{Check: "clocks", OK: true, Detail: "the database has this machine's"},
	}, nil
}

// examineIndex: nothing of the index is kept but in the memory of a process.
func (db *DB) examineIndex(ctx context.Context) (repo.Finding, error) {
	c, err := readCatalog(ctx, db.pool, db.options)
	return repo.Finding{Check: "reference index", OK: true,
		Detail: fmt.Sprintf("in the memory of `pruned run`, made anew at each start from the text of %d tables", len(c.tables))}, err
}

const countCandidatesSQL = `
SELECT count(*) FILTER (WHERE direction = 'row'), count(*) FILTER (WHERE direction = 'vector'), count(*) FILTER (WHERE direction = 'bytes'),
       min(first_seen)
  FROM pruned_candidate`

func (db *DB) examineCandidates(ctx context.Context) (repo.Finding, error) {
	var c repo.CandidateSummary
	var oldest *int64
	_, err := queryOne(ctx, db.pool, countCandidatesSQL, nil, &c.Rows, &c.Vectors, &c.Bytes, &oldest)
	if oldest != nil {
		c.Oldest = max(time.Since(fromMicros(*oldest)), 0)
	}
	return c.ToFinding(), translate(err, "count the candidates")
}

func (db *DB) examineJournal(ctx context.Context) (repo.Finding, error) {
	var mode string
	var pages, size int64
	for pragma, to := range map[string]any{"journal_mode": &mode, "page_count": &pages, "page_size": &size} {
		if _, err := queryOne(ctx, db.pool, `PRAGMA `+pragma, nil, to); err != nil {
			return repo.Finding{}, translate(err, "read PRAGMA %s", pragma)
		}
	}
	f := repo.Finding{Check: "journal", OK: true, Detail: fmt.Sprintf("%s, %s", mode, humanize.IBytes(uint64(pages*size)))}
	if mode != "wal" {
		f.Detail += ": everything is read again whenever the application has written"
		f.Remedy = "leave DATABASE_ENABLE_SQLITE_WAL at its default, true, unless there is a reason"
	}
	return f, nil
}

func (t *table) countDeadSQL() string {
	return `SELECT count(*) FROM ` + quoteIdent(t.name) + ` t WHERE NOT (1` + t.parentsCondition() + `)`
}

// linksFiles holds for tables that link files to what they cannot live without.
func (t *table) linksFiles() bool { return strings.HasSuffix(t.name, "_file") && len(t.parents) > 0 }

// examineLinks counts what the application leaves behind, since it asks SQLite for
// no foreign keys. It is no harm: such rows keep nothing.
func (db *DB) examineLinks(ctx context.Context) (repo.Finding, error) {
	c, err := readCatalog(ctx, db.pool, db.options)
	if err != nil {
		return repo.Finding{}, err
	}
	dead := int64(0)
	for _, t := range c.tables {
		if !t.linksFiles() {
			continue
		}
		var n int64
		if _, err := queryOne(ctx, db.pool, t.countDeadSQL(), nil, &n); err != nil {
			return repo.Finding{}, translate(err, "count the links of table %s", t.name)
		}
		dead += n
	}
	return repo.Finding{Check: "links", OK: true, Detail: fmt.Sprintf("%d links of files hang on chats, channels or knowledge bases that are gone; they keep nothing", dead)}, nil
}

// CountUnsearchable counts the files that are always kept.
func (db *DB) CountUnsearchable(ctx context.Context) (u repo.Unsearchable, err error) {
	ids, err := queryColumn[string](ctx, db.pool, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL AND CAST(id AS TEXT) NOT GLOB '????????-????-????-????-????????????' ORDER BY id`)
	for _, id := range ids {
		u.Add(id)
	}
	return u, translate(err, "count the files whose ids cannot be searched for")
}

// ListUnsearched returns nothing: a process that can open the file may read every table in it.
func (db *DB) ListUnsearched(context.Context) ([]string, error) { return nil, nil }

// examineVirtual tells what is not searched. The text of a full-text index lies in
// plain tables beside it, which are.
func (db *DB) examineVirtual(ctx context.Context) (repo.Finding, error) {
	names, err := queryColumn[string](ctx, db.pool, `SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 ORDER BY name`)
	f := repo.Finding{Check: "virtual tables", OK: true, Detail: "none"}
	if len(names) > 0 {
		f.Detail = strings.Join(names, ", ") + ": what their modules keep outside of plain tables is not searched"
		f.Remedy = "if they alone mention files, attach those files to something else as well"
	}
	return f, translate(err, "look for virtual tables")
}
