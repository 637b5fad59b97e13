package sqlite

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"pruned/repo"
	"pruned/repo/witness"
)

// identify says which installation this is: the mark that our migration left in the
// database, and the place where that is, since a copy has the same mark. It only
// reads.
func (db *DB) identify(ctx context.Context, tables []string) (err error) {
	if db.number, err = fileNumber(db.options.Path); err != nil {
		return refuse(db.options.Path, err)
	}
	if db.place = db.options.Place; db.place.Path == "" {
		db.place = witness.File(db.options.Path)
	}
	db.identity = repo.Identity{Key: db.place.Name("sqlite/new"), Name: filepath.Base(db.options.Path)}
	if !slices.Contains(tables, "pruned_state") {
		return nil
	}
	_, _, err = db.know(ctx, slices.Contains(tables, "pruned_place"))
	return err
}

// know reads where this database ran, and takes the identity that it had here, or a
// new one. What an earlier version knew a database by, its mark and the number of its
// file, stays what it is called. owner is whose candidates it has.
func (db *DB) know(ctx context.Context, remembers bool) (stays []witness.Stay, owner string, err error) {
	var mark string
	if _, err := one(ctx, db.pool, `SELECT mark FROM pruned_state`, nil, &mark); err != nil {
		return nil, "", translate(err, "read which installation this is")
	}
	base := "sqlite/" + mark
	earlier := base + "/" + db.number
	if owner = earlier; remembers {
		if _, err := one(ctx, db.pool, `SELECT owner FROM pruned_state`, nil, &owner); err != nil {
			return nil, "", translate(err, "read whose candidates these are")
		}
		if stays, err = readStays(ctx, db.pool); err != nil {
			return nil, "", err
		}
	}
	switch key, elsewhere := witness.Find(stays, base, db.place); {
	case key != "":
		db.identity.Key = key
	case owner == earlier && !elsewhere:
		db.identity.Key = earlier
	case owner == "" && !elsewhere:
		db.identity.Key = base
	default:
		db.identity.Key = db.place.Name(base)
	}
	db.identity.Elsewhere = witness.Elsewhere(stays, base, db.identity.Key)
	return stays, owner, nil
}

func readStays(ctx context.Context, q querier) (stays []witness.Stay, err error) {
	var identity, place string
	err = each(ctx, q, `SELECT identity, place FROM pruned_place ORDER BY seen_at DESC`, nil, []any{&identity, &place}, func() error {
		stays = append(stays, witness.Read(identity, place))
		return nil
	})
	return stays, translate(err, "read where this database ran")
}

// settle notes that the database is here, under the identity that it had here or a
// new one. Of what was seen, claimed, held and let go in another file nothing is true
// of this one.
func (db *DB) settle(ctx context.Context) error {
	stays, owner, err := db.know(ctx, true)
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
			if err := disown(ctx, t, now); err != nil {
				return err
			}
		}
		return writeStay(ctx, t, stays, stay)
	})
}

func disown(ctx context.Context, t repo.Tx, owner string) error {
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
		now.Identity, now.Place.Text(), micros(time.Now()))
	return err
}
