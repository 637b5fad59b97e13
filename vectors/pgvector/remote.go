package pgvector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"pruned/vectors"
)

// Remote is the table of chunks in another database than that of the rows. It removes in
// short transactions of its own, each with the answer of the guard.
type Remote struct {
	*chunkTable
	name string // see vectors.Info
}

var (
	_ vectors.Guarded         = (*Remote)(nil)
	_ vectors.CollectionStore = (*Remote)(nil)
	_ vectors.Indexer         = (*Remote)(nil)
	_ vectors.Encrypted       = (*Remote)(nil)
	_ vectors.Measured        = (*Remote)(nil)
)

// sessionsOfRemote lets tombstones be carried out beside a sweep that lists.
const sessionsOfRemote = 3

// NewRemote makes a store of a table in another database. It opens no session, as New.
func NewRemote(ctx context.Context, options Options) (*Remote, error) {
	t, err := openTable(ctx, options, sessionsOfRemote)
	if err != nil {
		return nil, err
	}
	return &Remote{t, nameOf(t.pool.Config().ConnConfig.Config)}, nil
}

// nameOf tells the tables of one database apart that others' search paths lead to.
func nameOf(c pgconn.Config) string {
	name := fmt.Sprintf("pgvector at %s, database %s", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), c.Database)
	for _, parameter := range []string{"search_path", "options"} {
		if value := c.RuntimeParams[parameter]; value != "" {
			name += ", " + parameter + " " + value
		}
	}
	return name
}

// Info says that others may use it.
func (r *Remote) Info() vectors.Info { return vectors.Info{Name: r.name} }

// Remove removes without asking anybody.
func (r *Remote) Remove(ctx context.Context, _ vectors.Tx, ids []string) (vectors.Removed, error) {
	return r.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded removes the files' own collections, then their chunks from every shared
// one. Those wait of which somebody else holds a chunk, or stored one meanwhile.
func (r *Remote) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if ids = storable(ids); len(ids) == 0 {
		return removed, nil
	}
	own, err := r.removeSelected(ctx, vectors.FileCollections(ids), wholeCollections, ofOwners(guard))
	if err != nil {
		return own, err
	}
	shared, err := r.removeShared(ctx, ids, guard)
	removed.Chunks = own.Chunks + shared.Chunks
	removed.Waiting = storable(slices.Concat(ownersOf(own.Waiting), shared.Waiting))
	return removed, err
}

// RemoveCollections removes whole collections. Those wait of which somebody else holds a
// row, or stored one meanwhile.
func (r *Remote) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (vectors.Removed, error) {
	if err := vectors.CheckWhole(names); err != nil {
		return vectors.Removed{}, err
	}
	return r.removeSelected(ctx, storable(names), wholeCollections, guard)
}

// RemovePoints removes points of one collection by the index on their ids. Those wait that
// somebody else holds.
func (r *Remote) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (vectors.Removed, error) {
	if err := vectors.CheckListed(collection); err != nil {
		return vectors.Removed{}, err
	}
	return r.removeSelected(ctx, storable(ids), pointsOf(collection), guard)
}

// storable leaves out what comes again, and what no database of PostgreSQL can hold: the
// rows may be in SQLite, which holds anything.
func storable(list []string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(one string) bool { return !utf8.ValidString(one) || strings.Contains(one, "\x00") })
	slices.Sort(list)
	return slices.Compact(list)
}

func ownersOf(collections []string) (ids []string) {
	for _, name := range collections {
		id, _ := vectors.CollectionOwner(name)
		ids = append(ids, id)
	}
	return ids
}

// ofOwners asks about files by the names of their own collections.
func ofOwners(guard vectors.Guard) vectors.Guard {
	return func(ctx context.Context, names []string) ([]string, error) {
		may, err := guard(ctx, ownersOf(names))
		return vectors.FileCollections(may), err
	}
}

// removeSelected asks about what is there, removes what may go, and looks again.
func (r *Remote) removeSelected(ctx context.Context, keys []string, chosen selection, guard vectors.Guard) (removed vectors.Removed, err error) {
	if len(keys) == 0 {
		return removed, nil
	}
	var refused error // the guard's failure is none of the store
	err = r.inTableTx(ctx, "remove "+chosen.what, func(tx ownTx, t *table) error {
		there, err := chosen.listLeft(ctx, tx, t, keys)
		if err != nil || len(there) == 0 {
			return err
		}
		may, err := guard(ctx, there)
		if refused = err; err != nil || len(may) == 0 {
			return err
		}
		removed.Chunks, err = tx.Exec(ctx, t.deleteStatement(chosen.take), chosen.withKeys(may)...)
		if err == nil {
			removed.Waiting, err = chosen.listLeft(ctx, tx, t, may)
		}
		return describeFailure(err, "delete %d %s from %s", len(may), chosen.what, t.quotedName())
	})
	return settled(removed, err, refused)
}

// settled is what a transaction came to: where it failed nothing was removed.
func settled(removed vectors.Removed, err, refused error) (vectors.Removed, error) {
	if refused != nil {
		err = refused
	}
	if err != nil {
		return vectors.Removed{}, err
	}
	return removed, nil
}

// removeShared removes what is left of these files, in as many tries as there are that may
// not go: one look for all of them may be a pass over the table.
func (r *Remote) removeShared(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	for len(ids) > 0 {
		var may []string
		if removed, may, err = r.tryShared(ctx, ids, guard); err != nil || len(may) == len(ids) {
			return removed, err
		}
		ids = may
	}
	return vectors.Removed{}, nil
}

// errKept rolls back a removal of which the guard kept a part.
var errKept = errors.New("some of the files came back")

// tryShared removes, and asks when it has: the removal may have taken minutes. Unless all
// may go it does nothing.
func (r *Remote) tryShared(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, may []string, err error) {
	may = ids
	var refused error
	err = r.inTableTx(ctx, "remove chunks", func(tx ownTx, t *table) error {
		_, found, err := t.lookupIndexes(ctx, tx)
		if err != nil {
			return err
		}
		if removed.Chunks, err = r.removeChunks(ctx, tx, t, found, ids); err != nil {
			return err
		}
		if removed.Chunks > 0 {
			if may, refused = guard(ctx, ids); refused != nil || len(may) < len(ids) {
				return errKept
			}
		}
		left, err := r.countLeft(ctx, tx, t, found, ids)
		if left > 0 {
			removed.Waiting = ids
		}
		return err
	})
	if refused == nil && len(may) < len(ids) {
		return vectors.Removed{}, may, nil
	}
	removed, err = settled(removed, err, refused)
	return removed, may, err
}

// leftByScan is leftSQL for everything that no index finds.
var leftByScan = `
SELECT FROM ONLY {table}
 WHERE collection_name = ANY($1::text[]) OR (` + shared + ` AND {file_id} = ANY($2::text[])) LIMIT 1`

func (r *Remote) countLeft(ctx context.Context, tx ownTx, t *table, found indexes, ids []string) (int64, error) {
	sql := leftByScan
	if found.collection && found.fileID {
		sql = leftSQL
	}
	left, err := tx.Exec(ctx, t.expandNames(sql), t.withKey(r.key, vectors.FileCollections(ids), ids)...)
	return left, describeFailure(err, "look for chunks left in %s", t.quotedName())
}
