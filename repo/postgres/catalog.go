package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// excludedCTE lists the exclusions as (oid, column, path): no column is the whole
// table, no path the whole column. Partitions and children are excluded with their
// parent. $1 is the schema, $2 the exclusions.
const excludedCTE = `
WITH RECURSIVE excluded (oid, attname, path) AS (
    SELECT c.oid, coalesce(e.name[2], ''), coalesce(array_to_string(e.name[3:], '.'), '')
      FROM (SELECT string_to_array(e, '.') FROM unnest($2::text[]) e) e (name)
      JOIN pg_class c ON c.relname = e.name[1] AND c.relkind IN ('r', 'p', 'f')
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1::text
    UNION
    SELECT i.inhrelid, e.attname, e.path FROM excluded e JOIN pg_inherits i ON i.inhparent = e.oid
)`

// relationsCTE lists what may mention a file: every table of the schema but the
// excluded ones, tables elsewhere with a foreign key to table file, and below each
// its partitions and children in whatever schema. Materialized views repeat living
// rows and are no rows themselves. $1 is the schema, $2 the exclusions.
const relationsCTE = excludedCTE + `, relations (oid) AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f') AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
       AND (n.nspname = $1::text OR EXISTS (
               SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
                  AND k.confrelid = to_regclass(format('%I.file', $1::text))))
    UNION
    SELECT i.inhrelid FROM relations JOIN pg_inherits i ON i.inhparent = relations.oid
     WHERE i.inhrelid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
)`

// labelsSQL are the labels that values in a column a may have, whatever type they
// are part of. Its types are those that somebody made.
const labelsSQL = `
WITH RECURSIVE part (type) AS (
    SELECT a.atttypid
    UNION
    SELECT p.type FROM part JOIN pg_type t ON t.oid = part.type CROSS JOIN LATERAL (
               SELECT unnest(ARRAY[t.typelem, t.typbasetype])
         UNION SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
         UNION SELECT b.atttypid FROM pg_attribute b WHERE b.attrelid = t.typrelid AND b.attnum > 0 AND NOT b.attisdropped) p (type)
     WHERE p.type >= 16384
)
SELECT string_agg(concat_ws('=', e.oid, e.enumlabel), ' ' ORDER BY e.oid) FROM part JOIN pg_enum e ON e.enumtypid = part.type`

// signatureSQL is one text that changes whenever what a relation's row versions
// tell may have changed without a new version of any row: another relation under
// the name, a column added (with a value that old rows have without being
// written, attmissingval), a type changed, or the labels of one, a column computed in
// another way while it is read; or what of it counts. What else a type may become,
// PostgreSQL refuses while a column uses it. c is the relation in pg_class, beside
// relationsCTE.
const signatureSQL = `
       concat_ws(' ', c.oid, (SELECT nspname FROM pg_namespace WHERE oid = c.relnamespace), c.relname, c.relkind, c.relam,
           (SELECT string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid, a.attmissingval,
                        CASE WHEN a.atttypid >= 16384 THEN (` + labelsSQL + `) END,
                        CASE WHEN a.attgenerated = 'v' THEN (SELECT adbin::text FROM pg_attrdef WHERE adrelid = a.attrelid AND adnum = a.attnum) END),
                    ',' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT string_agg(concat_ws(':', k.oid, k.conkey), ',' ORDER BY k.oid)
              FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f')),
           (SELECT string_agg(concat_ws('.', e.attname, e.path), ',' ORDER BY e.attname, e.path) FROM excluded e WHERE e.oid = c.oid))`

const catalogSQL = relationsCTE + `
SELECT c.oid, n.nspname, c.relname, c.relkind::text, coalesce(m.amname, ''), md5(` + signatureSQL + `),
       has_table_privilege(c.oid, 'SELECT')
  FROM relations JOIN pg_class c USING (oid)
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am m ON m.oid = c.relam
 WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't'
 ORDER BY c.oid`

// columnsSQL resolves domains and arrays down to their base types. $1 is the
// schema, $2 the exclusions, $3 are oids of relations, $4 the types that hold no
// text.
const columnsSQL = excludedCTE + `, columns AS (
    SELECT attrelid, attnum, attname, atttypid, attgenerated FROM pg_attribute
     WHERE attrelid = ANY ($3::oid[]) AND attnum > 0 AND NOT attisdropped
), base(type, down) AS (
    SELECT DISTINCT atttypid, atttypid FROM columns
    UNION
    SELECT base.type, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
      FROM base JOIN pg_type t ON t.oid = base.down
     WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0)
), textless AS (
    SELECT base.type FROM base JOIN pg_type t ON t.oid = base.down
     WHERE t.typtype = 'b' AND t.typname = ANY ($4::text[])
)
SELECT c.attrelid, c.attnum, c.attname, format_type(c.atttypid, -1),
       c.atttypid NOT IN (SELECT type FROM textless)
           AND NOT EXISTS (SELECT FROM excluded e WHERE e.oid = c.attrelid AND e.attname = c.attname AND e.path = ''),
       ARRAY(SELECT e.path FROM excluded e WHERE e.oid = c.attrelid AND e.attname = c.attname AND e.path <> ''),
       coalesce((SELECT array_position(k.conkey, c.attnum) FROM pg_constraint k
                  WHERE k.conrelid = c.attrelid AND k.contype = 'p'), 0),
       c.attgenerated = 'v'
  FROM columns c
 ORDER BY c.attrelid, c.attnum`

// parentsSQL lists the foreign keys that delete a row with its parent. One that
// sets a column to null says nothing about the row's life, and one to a partition
// says nothing about the parent's other partitions: PostgreSQL makes those of a
// foreign key to a partitioned table.
const parentsSQL = `
SELECT k.conrelid, p.nspname, f.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, i)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.i),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, i)
               JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.i),
       k.confrelid = $2::oid
  FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace p ON p.oid = f.relnamespace
 WHERE k.conrelid = ANY ($1::oid[]) AND k.contype = 'f' AND k.confdeltype = 'c' AND NOT f.relispartition
 ORDER BY k.conrelid, k.oid`

// relation is one table, partition or child that may mention files.
type relation struct {
	oid          uint32
	schema, name string
	kind, method string
	signature    string
	readable     bool
	columns      []column // those that can hold text, and count
	key          []column // primary key, in its order
	parents      []parent // without one of these the row is dead
	bound        bool     // a row goes with its file, by a foreign key

	// From pruned.relation; id is 0 where the index does not know it yet.
	id         int
	generation int
}

type column struct {
	num  int
	name string
	typ  string
	// virtual: it is computed while it is read, which may raise.
	virtual bool
	// excluded are the paths within its JSON that do not count.
	excluded [][]string
}

// parent is a row that another row cannot live without.
type parent struct {
	schema, table string
	columns, keys []string
	file          bool // the parent is table file itself
}

func (r *relation) String() string { return r.schema + "." + r.name }

func (r *relation) quoted() string { return pgx.Identifier{r.schema, r.name}.Sanitize() }

// indexed says whether the index can hold its mentions: a relation without
// versions, or without a key to name its rows by, is read in full each time.
func (r *relation) indexed() bool { return r.kind == "r" && r.method == "heap" && len(r.key) > 0 }

// catalog reads what may mention files, as of the transaction's next snapshot.
func (db *DB) catalog(ctx context.Context, t pgx.Tx) ([]*relation, error) {
	rows, _ := t.Query(ctx, catalogSQL, db.schema, db.excluded)
	relations, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*relation, error) {
		r := &relation{}
		return r, row.Scan(&r.oid, &r.schema, &r.name, &r.kind, &r.method, &r.signature, &r.readable)
	})
	if err != nil {
		return nil, translate(err, "list the tables of schema %s", db.schema)
	}
	byOID := make(map[uint32]*relation, len(relations))
	oids := make([]uint32, 0, len(relations))
	for _, r := range relations {
		byOID[r.oid] = r
		oids = append(oids, r.oid)
	}
	if err := db.readColumns(ctx, t, oids, byOID); err != nil {
		return nil, err
	}
	return relations, db.readParents(ctx, t, oids, byOID)
}

func (db *DB) readColumns(ctx context.Context, t pgx.Tx, oids []uint32, byOID map[uint32]*relation) error {
	rows, _ := t.Query(ctx, columnsSQL, db.schema, db.excluded, oids, textless)
	var oid uint32
	var c column
	var text bool
	var paths []string
	var position int
	keys := map[uint32]map[int]column{}
	_, err := pgx.ForEachRow(rows, []any{&oid, &c.num, &c.name, &c.typ, &text, &paths, &position, &c.virtual}, func() error {
		r := byOID[oid]
		c.excluded = splitPaths(paths)
		if text {
			r.columns = append(r.columns, c)
		}
		if position > 0 {
			if keys[oid] == nil {
				keys[oid] = map[int]column{}
			}
			keys[oid][position] = c
		}
		return nil
	})
	for oid, key := range keys {
		for i := 1; i <= len(key); i++ {
			byOID[oid].key = append(byOID[oid].key, key[i])
		}
	}
	return translate(err, "list the columns of the tables")
}

func (db *DB) readParents(ctx context.Context, t pgx.Tx, oids []uint32, byOID map[uint32]*relation) error {
	var file uint32
	var channels bool
	err := t.QueryRow(ctx, `SELECT $1::regclass::oid, to_regclass($2) IS NOT NULL`, db.table("file"), db.table("channel")).Scan(&file, &channels)
	if err != nil {
		return translate(err, "look for table file")
	}
	rows, _ := t.Query(ctx, parentsSQL, oids, file)
	var oid uint32
	var p parent
	_, err = pgx.ForEachRow(rows, []any{&oid, &p.schema, &p.table, &p.columns, &p.keys, &p.file}, func() error {
		// A row whose file is gone mentions nothing that matters, and a row
		// that points at itself lives by itself.
		r := byOID[oid]
		r.bound = r.bound || p.file
		if !p.file && (p.schema != r.schema || p.table != r.name) {
			r.parents = append(r.parents, parent{p.schema, p.table, slices.Clone(p.columns), slices.Clone(p.keys), false})
		}
		return nil
	})
	if err != nil {
		return translate(err, "list the foreign keys")
	}
	for _, r := range byOID {
		if r.schema == db.schema && r.name == "message" && r.has("channel_id") && channels {
			// Open WebUI deletes a channel and leaves its messages for ever,
			// without a foreign key.
			r.parents = append(r.parents, parent{db.schema, "channel", []string{"channel_id"}, []string{"id"}, false})
		}
	}
	return nil
}

func (r *relation) has(name string) bool {
	for _, c := range r.columns {
		if c.name == name {
			return true
		}
	}
	return false
}

// quote quotes an identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// alive is the condition under which row t of the relation lives, or nothing.
func (r *relation) alive() string {
	var b strings.Builder
	for _, p := range r.parents {
		var match, null []string
		for i := range p.columns {
			match = append(match, "p."+quote(p.keys[i])+" = t."+quote(p.columns[i]))
			null = append(null, "t."+quote(p.columns[i])+" IS NULL")
		}
		b.WriteString(" AND (" + strings.Join(null, " OR ") + " OR EXISTS (SELECT FROM " +
			pgx.Identifier{p.schema, p.table}.Sanitize() + " p WHERE " + strings.Join(match, " AND ") + "))")
	}
	return b.String()
}
