package postgres

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
	"pruned/repo/witness"
)

// locateServer records the address of the database and the machine that asks.
func (db *DB) locateServer(ctx context.Context, config *pgconn.Config) error {
	db.place = db.options.Place
	if db.place.Host == "" && db.options.Folder != "" {
		db.place = witness.LocateFile(db.options.Folder)
	} else if db.place.Host == "" {
		db.place.Machine = witness.DescribeMachine()
	}
	db.place.Path = serverAddresses(config)
	return db.askServer(ctx)
}

// askServer asks when the server was started.
func (db *DB) askServer(ctx context.Context) error {
	err := db.readRow(ctx, `SELECT extract(epoch FROM pg_postmaster_start_time())::text`, nil, &db.place.Server)
	return pgerr.Translate(err, "ask when the server was started")
}

// serverAddresses joins every server that DATABASE_URL names.
func serverAddresses(config *pgconn.Config) string {
	servers := []string{net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))}
	for _, f := range config.Fallbacks {
		if server := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); server != servers[len(servers)-1] {
			servers = append(servers, server)
		}
	}
	return strings.Join(servers, ",")
}

// readIdentity reads the identity that the database has at this place. It only reads, and
// refuses a schema pruned that belongs to another installation in this database.
func (db *DB) readIdentity(ctx context.Context) error {
	return db.inOwnTx(ctx, func(t pgx.Tx) error {
		var made, remembers bool
		err := t.QueryRow(ctx, `SELECT to_regclass('pruned.state') IS NOT NULL, to_regclass('pruned.place') IS NOT NULL`).Scan(&made, &remembers)
		switch {
		case err != nil:
			return pgerr.Translate(err, "look for our own tables")
		case remembers:
			_, err = db.readIdentityInTx(ctx, t)
			return err
		case made:
			return db.refuseShared(ctx, t, nil)
		}
		db.identity.suffix = db.newSuffix()
		return nil
	})
}

// newSuffix is the suffix of an identity that is given at this place.
func (db *DB) newSuffix() string {
	return strings.TrimPrefix(db.place.NewIdentity(db.identity.baseKey()), db.identity.baseKey())
}

// readIdentityInTx reads where this database ran, refuses another installation's, and
// takes the identity that it had at this place, or a new one. A database that an earlier
// version swept, which kept no places, keeps its identity.
func (db *DB) readIdentityInTx(ctx context.Context, t pgx.Tx) (stays []witness.Stay, err error) {
	if stays, err = readStays(ctx, t); err != nil {
		return nil, err
	}
	if err := db.refuseShared(ctx, t, stays); err != nil {
		return nil, err
	}
	var swept bool
	if err := t.QueryRow(ctx, `SELECT is_called FROM pruned.sweep`).Scan(&swept); err != nil {
		return nil, pgerr.Translate(err, "look whether there was a sweep")
	}
	base := db.identity.baseKey()
	switch key, elsewhere := witness.FindIdentity(stays, base, db.place); {
	case key != "":
		db.identity.suffix = strings.TrimPrefix(key, base)
	case elsewhere || !swept:
		db.identity.suffix = db.newSuffix()
	}
	db.elsewhere = witness.FindElsewhere(stays, base, db.identity.String())
	return stays, nil
}

func readStays(ctx context.Context, t pgx.Tx) ([]witness.Stay, error) {
	rows, _ := t.Query(ctx, `SELECT identity, place FROM pruned.place ORDER BY seen_at DESC`)
	stays, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (witness.Stay, error) {
		var identity, place string
		err := row.Scan(&identity, &place)
		return witness.ReadStay(identity, place), err
	})
	return stays, pgerr.Translate(err, "read where this database ran")
}

const sharedSQL = `
SELECT s.name FROM (SELECT identity AS name FROM pruned.state UNION ALL SELECT unnest(@identities::text[])) i,
       LATERAL (SELECT substr(i.name, length(@cluster::text) + 1) AS rest) r,
       LATERAL (SELECT split_part(r.rest, '/', 1) AS name) s
 WHERE starts_with(i.name, @cluster::text) AND s.name <> @schema::text
   AND to_regclass(format('%I.file', s.name)) IS NOT NULL AND to_regclass(format('%I.alembic_version', s.name)) IS NOT NULL
 LIMIT 1`

// refuseShared refuses a schema pruned of another installation in this database: it would
// take our index for its own and rebuild it for ever.
func (db *DB) refuseShared(ctx context.Context, t pgx.Tx, stays []witness.Stay) error {
	identities := make([]string, len(stays))
	for i, s := range stays {
		identities[i] = s.Identity
	}
	cluster := fmt.Sprintf("%s/%d/", db.identity.System, db.identity.Database)
	others, err := refindex.ReadColumn[string](ctx, t, sharedSQL, pgx.NamedArgs{"cluster": cluster, "schema": db.identity.Schema, "identities": identities})
	if err != nil || len(others) == 0 {
		return pgerr.Translate(err, "look whose schema pruned is")
	}
	return &repo.Error{Kind: repo.Environment, Doing: "open database " + db.identity.Name, Err: fmt.Errorf(
		"schema pruned is that of the installation in schema %s, and this is the one in schema %s: pruned serves one installation in a database; "+
			"set DATABASE_SCHEMA to %[1]s, or move this one to a database of its own (`pruned uninstall` with DATABASE_SCHEMA=%[1]s gives the schema up)",
		others[0], db.identity.Schema)}
}

// waitForFirstLock lets a transaction that holds no lock yet wait for its first: nobody
// waits for it.
func (db *DB) waitForFirstLock(ctx context.Context, t pgx.Tx) error {
	_, err := t.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", db.options.LockTimeout.Milliseconds()))
	return pgerr.Translate(err, "set lock_timeout")
}

// recordPlace records that the database is at this place, under the identity that it had
// here or a new one. Replicas that start together take turns, and find what the first one
// wrote.
func (db *DB) recordPlace(ctx context.Context) error {
	var stays []witness.Stay
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		if err = db.waitForFirstLock(ctx, t); err == nil {
			stays, err = db.readIdentityInTx(ctx, t)
		}
		return err
	})
	if err != nil || slices.Contains(stays, witness.Stay{Identity: db.identity.String(), Place: db.place}) {
		return err // most commands come to where the daemon is
	}
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		q := pgxTx(t)
		if err := db.waitForFirstLock(ctx, q); err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `LOCK TABLE pruned.place IN EXCLUSIVE MODE`); err != nil {
			return pgerr.Translate(err, "lock table pruned.place")
		}
		stays, err := db.readIdentityInTx(ctx, q)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(stays, func(s witness.Stay) bool { return s.Identity == db.identity.String() }) {
			// Candidates, events and holds are the original's.
			if _, err := q.Exec(ctx, `WITH held AS (DELETE FROM pruned.hold) DELETE FROM pruned.candidate`); err != nil {
				return pgerr.Translate(err, "forget what another installation found")
			}
		}
		return db.writeStay(ctx, q, stays)
	})
}

// writeStay replaces the record of this place.
func (db *DB) writeStay(ctx context.Context, q pgx.Tx, stays []witness.Stay) error {
	key, here := db.identity.String(), db.place.Text()
	var old []string
	for _, s := range stays {
		if s.Identity == key && s.Place.Is(db.place) {
			if s.Place == db.place {
				return nil
			}
			old = append(old, s.Place.Text())
		}
	}
	if _, err := q.Exec(ctx, `DELETE FROM pruned.place WHERE identity = $1::text AND place = ANY ($2::text[])`, key, old); err != nil {
		return pgerr.Translate(err, "forget where this database was")
	}
	_, err := q.Exec(ctx, `INSERT INTO pruned.place (identity, place) VALUES ($1::text, $2::text) ON CONFLICT DO NOTHING`, key, here)
	return pgerr.Translate(err, "note where this database is")
}

// recordRestart records a restart of the server, so that other processes recognize it.
func (db *DB) recordRestart(ctx context.Context) error {
	db.placing.Lock()
	defer db.placing.Unlock()
	before := db.place.Server
	if err := db.askServer(ctx); err != nil || db.place.Server == before {
		return err
	}
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		stays, err := readStays(ctx, pgxTx(t))
		if err != nil {
			return err
		}
		return db.writeStay(ctx, pgxTx(t), stays)
	})
}
