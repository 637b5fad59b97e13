// Package leftover knows what keeps a collection of vectors, or a point in one, that holds
// nothing of a file: a mention of its name, its user, its row.
//
// Its central idea is that a name says what it lives by, and that whoever would remove it,
// at any step, asks the same question. The package knows the contracts of repo and of
// vectors.
package leftover

import (
	"context"
	"strings"

	"pruned/repo"
	"pruned/vectors"
)

// Leftover is a collection, or a point in one, that may be in use or not.
type Leftover struct {
	Collection string
	Point      string // empty: the whole collection; see HeldFile
}

// separator stands between a collection and a point. Points have ids without it.
const separator = "/"

// Parse reads the name of a leftover, as candidates, events and tombstones have it. It is
// not ok where the application gives no such names, or where nothing of it can be a
// leftover.
func Parse(name string, d repo.Direction) (l Leftover, ok bool) {
	if d == repo.FromCollections {
		_, isMemory := vectors.MemoryOwner(name)
		return Leftover{Collection: name}, isMemory || vectors.LivesByMention(name)
	}
	i := strings.LastIndex(name, separator)
	if i < 0 {
		return Leftover{}, false
	}
	l = Leftover{name[:i], name[i+1:]}
	_, isHeld := l.HeldFile()
	return l, isHeld || l.Point != "" && vectors.PointTable(l.Collection) != ""
}

// Direction is the one in which a sweep finds it.
func (l Leftover) Direction() repo.Direction {
	if l.Point == "" {
		return repo.FromCollections
	}
	return repo.FromPoints
}

// Name is what Parse reads.
func (l Leftover) Name() string {
	if l.Point == "" {
		return l.Collection
	}
	return l.Collection + separator + l.Point
}

// byMention says whether it lives by a mention of its name.
func (l Leftover) byMention() bool { return l.Point == "" && vectors.LivesByMention(l.Collection) }

// row is the row that it lives by, where it lives by none of its mentions.
func (l Leftover) row() (table, id string) {
	if file, is := l.HeldFile(); is {
		return repo.KnowledgeLinks, l.Collection + separator + file
	}
	if l.Point != "" {
		return vectors.PointTable(l.Collection), l.Point
	}
	user, _ := vectors.MemoryOwner(l.Collection)
	return "user", user
}

// Names are the names among them that have to be looked for.
func Names(list []Leftover) (names []string) {
	for _, l := range list {
		if l.byMention() {
			names = append(names, l.Collection)
		}
	}
	return names
}

// ByRow are those among them that live by a row.
func ByRow(list []Leftover) (rows []Leftover) {
	for _, l := range list {
		if !l.byMention() {
			rows = append(rows, l)
		}
	}
	return rows
}

// Database is what is asked of the database.
type Database interface {
	// FindMissingRows says which rows are not there (see repo.Leftovers).
	FindMissingRows(ctx context.Context, tx repo.Tx, table string, ids []string) ([]string, error)
	// FindNamingFiles says which files name a collection (see repo.Leftovers).
	FindNamingFiles(ctx context.Context, tx repo.Tx, names []string) (map[string]string, error)
	// HasUsers says whether table user has a row (see repo.Leftovers).
	HasUsers(ctx context.Context, tx repo.Tx) (bool, error)
}

// Use is what was found of one. Nothing uses it where all is zero.
type Use struct {
	Reference repo.Reference // what keeps it
	Unknown   bool           // nobody can tell yet, or ever
	Restored  bool           // its row is missing, and so is every user's: they may come yet
}

// IsFree says that nothing uses it.
func (u Use) IsFree() bool { return u == Use{} }

// FindUses says what uses each. found is of their Names, as of now. A file may name a
// collection of a digest, of an older version, as its own; one that was put into a knowledge
// base goes on to name that, too, and does not use it.
func FindUses(ctx context.Context, db Database, tx repo.Tx, list []Leftover, found repo.References) (map[Leftover]Use, error) {
	uses := make(map[Leftover]Use, len(list))
	rows := map[string][]string{}
	var digests []string
	for _, l := range list {
		if l.byMention() {
			uses[l] = Use{Reference: found.Referenced[l.Collection], Unknown: found.Unknown[l.Collection]}
			if uses[l].IsFree() && vectors.IsDigest(l.Collection) {
				digests = append(digests, l.Collection)
			}
			continue
		}
		table, id := l.row()
		rows[table] = append(rows[table], id)
	}
	naming, err := db.FindNamingFiles(ctx, tx, digests)
	if err != nil {
		return nil, err
	}
	for name, file := range naming {
		uses[Leftover{Collection: name}] = Use{Reference: repo.Reference{Table: "file", Row: file, Column: "meta"}}
	}
	for table, ids := range rows {
		missing, err := findMissing(ctx, db, tx, table, ids)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			if of, id := l.row(); !l.byMention() && of == table {
				uses[l] = useOfRow(table, id, missing)
			}
		}
	}
	return uses, deferMissing(ctx, db, tx, uses)
}

// deferMissing says of missing rows that they may come, where no user has one.
func deferMissing(ctx context.Context, db Database, tx repo.Tx, uses map[Leftover]Use) error {
	var missing []Leftover
	for l, use := range uses {
		if use.IsFree() && !l.byMention() {
			missing = append(missing, l)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	has, err := db.HasUsers(ctx, tx)
	if err != nil || has {
		return err
	}
	for _, l := range missing {
		uses[l] = Use{Restored: true}
	}
	return nil
}

func findMissing(ctx context.Context, db Database, tx repo.Tx, table string, ids []string) (map[string]bool, error) {
	list, err := db.FindMissingRows(ctx, tx, table, ids)
	missing := make(map[string]bool, len(list))
	for _, id := range list {
		missing[id] = true
	}
	return missing, err
}

func useOfRow(table, id string, missing map[string]bool) Use {
	if missing[id] {
		return Use{}
	}
	return Use{Reference: repo.Reference{Table: table, Row: id}}
}

// NamesByDirection are the names of all, by where a sweep finds them.
func NamesByDirection(lists ...[]Leftover) map[repo.Direction][]string {
	names := map[repo.Direction][]string{}
	for _, list := range lists {
		for _, l := range list {
			names[l.Direction()] = append(names[l.Direction()], l.Name())
		}
	}
	return names
}
