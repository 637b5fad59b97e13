package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/repo"
)

// Examine looks at everything that pruned needs of the database. It changes
// nothing.
func (db *DB) Examine(ctx context.Context) (found []repo.Finding, err error) {
	for _, check := range []func(context.Context) (repo.Finding, error){
		db.examineVersions, db.examineJournal, db.examineLinks, db.examineTombstones,
	} {
		finding, err := check(ctx)
		if err != nil {
			return found, err
		}
		found = append(found, finding)
	}
	return found, nil
}

func (db *DB) examineVersions(ctx context.Context) (repo.Finding, error) {
	var library string
	if _, err := one(ctx, db.pool, `SELECT sqlite_version()`, nil, &library); err != nil {
		return repo.Finding{}, translate(err, "read versions")
	}
	revisions, err := column[string](ctx, db.pool, `SELECT version_num FROM alembic_version`)
	return repo.Finding{Check: "versions", OK: true, Detail: fmt.Sprintf("SQLite %s, %s, Open WebUI revision %s",
		library, db.options.Path, strings.Join(revisions, ", "))}, translate(err, "read versions")
}

func (db *DB) examineJournal(ctx context.Context) (repo.Finding, error) {
	var mode string
	var pages, size int64
	for pragma, to := range map[string]any{"journal_mode": &mode, "page_count": &pages, "page_size": &size} {
		if _, err := one(ctx, db.pool, `PRAGMA `+pragma, nil, to); err != nil {
			return repo.Finding{}, translate(err, "read PRAGMA %s", pragma)
		}
	}
	f := repo.Finding{Check: "journal", OK: true, Detail: fmt.Sprintf("%s, %s", mode, humanize.IBytes(uint64(pages*size)))}
	if mode != "wal" {
		f.Detail += ": everything is read again whenever the application has written"
		f.Do = "leave DATABASE_ENABLE_SQLITE_WAL at its default, true, unless there is a reason"
	}
	return f, nil
}

// examineLinks counts what the application leaves behind, since it asks SQLite for
// no foreign keys. It is no harm: such rows keep nothing.
func (db *DB) examineLinks(ctx context.Context) (repo.Finding, error) {
	c, err := readCatalog(ctx, db.pool, db.options)
	if err != nil {
		return repo.Finding{}, err
	}
	dead := int64(0)
	for _, t := range c.tables {
		if !strings.HasSuffix(t.name, "_file") || len(t.parents) == 0 {
			continue
		}
		var n int64
		if _, err := one(ctx, db.pool, `SELECT count(*) FROM `+quote(t.name)+` t WHERE NOT (1`+t.alive()+`)`, nil, &n); err != nil {
			return repo.Finding{}, translate(err, "count the links of table %s", t.name)
		}
		dead += n
	}
	return repo.Finding{Check: "links", OK: true, Detail: fmt.Sprintf("%d links of files hang on chats, channels or knowledge bases that are gone; they keep nothing", dead)}, nil
}

func (db *DB) examineTombstones(ctx context.Context) (repo.Finding, error) {
	var made bool
	if _, err := one(ctx, db.pool, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'pruned_tombstone')`, nil, &made); err != nil {
		return repo.Finding{}, translate(err, "look for our own tables")
	}
	if !made {
		return repo.Finding{Check: "tables of pruned", OK: true, Detail: "not made yet", Do: "pruned run makes them"}, nil
	}
	n, in, err := db.NextDue(ctx, repo.Vectors, repo.Bytes)
	detail := fmt.Sprintf("%d wait, the first is due in %s", n, in.Round(time.Second))
	switch {
	case n == 0:
		detail = "none waits"
	case in < 0:
		detail = fmt.Sprintf("%d wait, the first is overdue by %s", n, -in.Round(time.Second))
	}
	return repo.Finding{Check: "tombstones", OK: true, Detail: detail}, err
}
