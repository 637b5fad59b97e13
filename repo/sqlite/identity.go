package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/witness"
)

// identifyDatabase finds out whose database this is, and refuses what cannot be worked
// with. It only reads.
func (db *DB) identifyDatabase(ctx context.Context) error {
	path := db.options.Path
	var encoding string
	if _, err := queryOne(ctx, db.pool, `PRAGMA encoding`, nil, &encoding); err != nil {
		return refuseFile(path, explainCode(err))
	}
	if encoding != "UTF-8" {
		return refuseFile(path, fmt.Errorf("its text is %s; Open WebUI's is UTF-8", encoding))
	}
	tables, err := queryColumn[string](ctx, db.pool, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		return refuseFile(path, explainCode(err))
	}
	for _, want := range []string{"file", "alembic_version"} {
		if !slices.Contains(tables, want) {
			return refuseFile(path, fmt.Errorf("it is not Open WebUI's: it has no table %s", want))
		}
	}
	columns, err := queryColumn[string](ctx, db.pool, `SELECT name FROM pragma_table_info('file')`)
	if err != nil {
		return refuseFile(path, explainCode(err))
	}
	var missing []error
	for _, want := range openwebui.FileColumns {
		if !slices.Contains(columns, want.Name) {
			missing = append(missing, fmt.Errorf("file.%s", want.Name))
		}
	}
	if len(missing) > 0 {
		return refuseFile(path, fmt.Errorf("table file is not one that pruned knows: missing %w", errors.Join(missing...)))
	}
	if _, err := readCatalog(ctx, db.pool, db.options); err != nil {
		return err
	}
	return db.resolveIdentity(ctx, tables)
}

// resolveIdentity says which installation this is: the mark that our migration left in the
// database, and the place where that is, since a copy has the same mark. It only
// reads.
func (db *DB) resolveIdentity(ctx context.Context, tables []string) (err error) {
	if db.number, err = fileNumber(db.options.Path); err != nil {
		return refuseFile(db.options.Path, err)
	}
	if db.place = db.options.Place; db.place.Path == "" {
		db.place = witness.LocateFile(db.options.Path)
	}
	db.identity = repo.Identity{Key: db.place.NewIdentity("sqlite/new"), Name: filepath.Base(db.options.Path)}
	if !slices.Contains(tables, "pruned_state") {
		return nil
	}
	_, _, err = db.readIdentity(ctx, slices.Contains(tables, "pruned_place"))
	return err
}

// readIdentity reads where this database ran, and takes the identity that it had here, or a
// new one. What an earlier version knew a database by, its mark and the number of its
// file, stays what it is called. owner is whose candidates it has.
func (db *DB) readIdentity(ctx context.Context, remembers bool) (stays []witness.Stay, owner string, err error) {
	var mark string
	if _, err := queryOne(ctx, db.pool, `SELECT mark FROM pruned_state`, nil, &mark); err != nil {
		return nil, "", translate(err, "read which installation this is")
	}
	base := "sqlite/" + mark
	earlier := base + "/" + db.number
	if owner = earlier; remembers {
		if _, err := queryOne(ctx, db.pool, `SELECT owner FROM pruned_state`, nil, &owner); err != nil {
			return nil, "", translate(err, "read whose candidates these are")
		}
		if stays, err = readStays(ctx, db.pool); err != nil {
			return nil, "", err
		}
	}
	switch key, elsewhere := witness.FindIdentity(stays, base, db.place); {
	case key != "":
		db.identity.Key = key
	case owner == earlier && !elsewhere:
		db.identity.Key = earlier
	case owner == "" && !elsewhere:
		db.identity.Key = base
	default:
		db.identity.Key = db.place.NewIdentity(base)
	}
	db.identity.Elsewhere = witness.FindElsewhere(stays, base, db.identity.Key)
	return stays, owner, nil
}

func readStays(ctx context.Context, q querier) (stays []witness.Stay, err error) {
	var identity, place string
	err = queryEach(ctx, q, `SELECT identity, place FROM pruned_place ORDER BY seen_at DESC`, nil, []any{&identity, &place}, func() error {
		stays = append(stays, witness.ReadStay(identity, place))
		return nil
	})
	return stays, translate(err, "read where this database ran")
}

// recordStay notes that the database is here, under the identity that it had here or a
// new one. What was seen, published, held and confirmed in another file is not true of
// this one.
func (db *DB) recordStay(ctx context.Context) error {
	stays, owner, err := db.readIdentity(ctx, true)
	if err != nil {
		return err
	}
	now := db.identity.Key + "/" + db.number
	stay := witness.Stay{Identity: db.identity.Key, Place: db.place}
	if owner == now && slices.Contains(stays, stay) {
		return nil
	}
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		if owner != now {
			if err := dropForeignState(ctx, t, now); err != nil {
				return err
			}
		}
		return writeStay(ctx, t, stays, stay)
	})
}

func dropForeignState(ctx context.Context, t repo.Tx, owner string) error {
	for _, query := range []string{`DELETE FROM pruned_candidate`, `DELETE FROM pruned_hold`} {
		if _, err := t.Exec(ctx, query); err != nil {
			return err
		}
	}
	_, err := t.Exec(ctx, `UPDATE pruned_state SET owner = $1`, owner)
	return err
}

// writeStay replaces what was known of this place.
func writeStay(ctx context.Context, t repo.Tx, stays []witness.Stay, now witness.Stay) error {
	for _, s := range stays {
		if s.Identity == now.Identity && s.Place.Is(now.Place) {
			if _, err := t.Exec(ctx, `DELETE FROM pruned_place WHERE identity = $1 AND place = $2`, s.Identity, s.Place.Text()); err != nil {
				return err
			}
		}
	}
	_, err := t.Exec(ctx, `INSERT INTO pruned_place (identity, place, seen_at) VALUES ($1, $2, $3)`,
		now.Identity, now.Place.Text(), toMicros(time.Now()))
	return err
}

// ListWebhooks are the addresses of the enabled webhooks that the application sends
// its events to. A revision that keeps its settings otherwise has none.
func (db *DB) ListWebhooks(ctx context.Context) ([]string, error) {
	var rows bool
	_, err := queryOne(ctx, db.pool, `SELECT count(*) = 2 FROM pragma_table_info('config') WHERE name IN ('key', 'value')`, nil, &rows)
	if err != nil || !rows {
		return nil, translate(err, "look for the application's settings")
	}
	var value string
	_, err = queryOne(ctx, db.pool, `SELECT coalesce((SELECT CAST(value AS TEXT) FROM config WHERE key = ?1), '')`, []any{openwebui.WebhooksKey}, &value)
	return openwebui.Webhooks(value), translate(err, "read the application's webhooks")
}
