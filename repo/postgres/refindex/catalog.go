package refindex

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// otherSchema is the condition that schema n is neither PostgreSQL's nor a session's
// own.
const otherSchema = `n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'`

// excludedCTE lists the exclusions as (oid, column, path): no column is the whole
// table, no path the whole column. Partitions and children are excluded with their
// parent. So is, in whatever schema, a table of vectors, and where another Open WebUI
// is, its tables that mention files without using them: a plugin that has a table file, and
// alembic for its migrations, is none.
var excludedCTE = `
WITH RECURSIVE excluded (oid, attname, path) AS (
    SELECT c.oid, coalesce(e.name[3], ''), coalesce(array_to_string(e.name[4:], '.'), '')
      FROM (SELECT string_to_array(e, '.') FROM unnest(@excluded::text[]) e) e (name)
      JOIN pg_namespace n ON n.nspname = coalesce(nullif(e.name[1], ''), @schema::text)
      JOIN pg_class c ON c.relnamespace = n.oid AND e.name[2] IN (c.relname, '*') AND c.relkind IN ('r', 'p', 'f')
    UNION
    SELECT c.oid, '', '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f') AND ` + otherSchema + `
       AND (c.relname = '` + openwebui.VectorTable + `' AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                                                    AND a.attname IN ('collection_name', 'vmetadata')) = 2
            OR c.relname = ANY ('{` + strings.Join(notReferences, ",") + `}')
               AND (SELECT count(*) FROM pg_class b WHERE b.relnamespace = n.oid AND b.relname IN ('alembic_version', 'auth', 'chat', 'file', 'user')) = 5)
    UNION
    SELECT i.inhrelid, e.attname, e.path FROM excluded e JOIN pg_inherits i ON i.inhparent = e.oid
)`

// readableSQL is the condition that table c of schema n can be searched without our
// having to: its rows are in this database, and our role may read them.
const readableSQL = `c.relkind <> 'f' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')`

// relationsCTE lists what may mention a file: every table of the schema but the
// excluded ones, tables elsewhere with a foreign key to table file, and below each
// its partitions and children in whatever schema; these have to be searched. The
// tables of all other schemas are searched as far as our role may read them.
// Materialized views repeat living rows and are no rows themselves.
var relationsCTE = excludedCTE + `, reached (oid, required) AS (
    SELECT c.oid, q.required FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
               SELECT n.nspname = @schema::text OR EXISTS (
                   SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
                      AND k.confrelid = to_regclass(format('%I.file', @schema::text)))) q (required)
     WHERE c.relkind IN ('r', 'p', 'f') AND (q.required OR ` + otherSchema + ` AND ` + readableSQL + `)
       AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
    UNION
    SELECT c.oid, r.required FROM reached r JOIN pg_inherits i ON i.inhparent = r.oid
      JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (r.required OR ` + readableSQL + `)
       AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
), relations (oid) AS (SELECT DISTINCT oid FROM reached)`

// labelsSQL lists the labels that values in a column a may have, at any depth of its type.
// Types that somebody made have oids from 16384 on.
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

// signatureSQL is one text that changes whenever the content of a relation's rows may have
// changed without a new version of any row: another relation under the name, a column
// added (with a value that old rows have without being written, attmissingval), a type
// changed, or the labels of one, a column computed in another way while it is read; or
// other columns that count. PostgreSQL refuses any other change of a type while a column
// uses it. c is the relation in pg_class, beside relationsCTE.
var signatureSQL = `
       concat_ws(' ', c.oid, (SELECT nspname FROM pg_namespace WHERE oid = c.relnamespace), c.relname, c.relkind, c.relam,
           (SELECT string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid, a.attmissingval,
                        CASE WHEN a.atttypid >= 16384 THEN (` + labelsSQL + `) END,
                        CASE WHEN a.attgenerated = 'v' THEN (SELECT adbin::text FROM pg_attrdef WHERE adrelid = a.attrelid AND adnum = a.attnum) END),
                    ',' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT string_agg(concat_ws(':', k.oid, k.conkey), ',' ORDER BY k.oid)
              FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f')),
           (SELECT string_agg(concat_ws('.', e.attname, e.path), ',' ORDER BY e.attname, e.path) FROM excluded e WHERE e.oid = c.oid),
           CASE WHEN NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
                THEN (SELECT concat_ws(':', i.indexrelid, i.indkey) FROM (` + keyOf("c.oid") + `) i) END)`

// keyOf is the query of the index by which rows of a table are named: that of the primary
// key, or where there is none another that no two rows share and none is without. Tables
// that Open WebUI made before 0.9 have only such (openwebui 0.8: internal/migrations).
func keyOf(table string) string {
	return `
SELECT i.* FROM pg_index i CROSS JOIN LATERAL (SELECT (i.indkey::int2[])[:i.indnkeyatts - 1]) k (attnums)
 WHERE i.indrelid = ` + table + ` AND (i.indisprimary OR i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (k.attnums) AND NOT a.attnotnull)
       AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = i.indrelid AND n.contype = 'n' AND NOT n.convalidated AND n.conkey && k.attnums))
 ORDER BY NOT i.indisprimary, i.indnkeyatts, i.indexrelid LIMIT 1`
}

var catalogSQL = relationsCTE + `, ` + deletedCTE + `
SELECT c.oid, n.nspname, c.relname, c.relkind::text, coalesce(m.amname, ''), md5(` + signatureSQL + `),
       has_table_privilege(c.oid, 'SELECT'), c.oid IN (SELECT oid FROM deleted)
  FROM relations JOIN pg_class c USING (oid)
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am m ON m.oid = c.relam
 WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't'
 ORDER BY c.oid`

// equalSQL is the operator by which index k compares its column at k.position: the operator
// of an extension's type is in the extension's schema.
const equalSQL = `
SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
  FROM pg_opclass p
  JOIN pg_am m ON m.oid = p.opcmethod AND m.amname = 'btree'
  JOIN pg_amop a ON a.amopfamily = p.opcfamily AND a.amoplefttype = p.opcintype AND a.amoprighttype = p.opcintype AND a.amopstrategy = 3
  JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE p.oid = k.indclass[k.position - 1]`

// textless are base types that cannot hold the text of an id. Every other type counts,
// also those that nobody knows yet. Arrays and domains are as their elements and base
// types. An id that looks like a value of these types is not searched at all
// (mention.ValueShape).
var textless = []string{
	"bool", "int2", "int4", "int8", "float4", "float8", "numeric", "money", "oid", "xid", "xid8", "cid", "tid",
	"date", "time", "timetz", "timestamp", "timestamptz", "interval",
	"bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle",
	"inet", "cidr", "macaddr", "macaddr8",
	"vector", "halfvec", "sparsevec",
}

// columnsSQL resolves domains and arrays down to their base types.
var columnsSQL = excludedCTE + `, columns AS (
    SELECT attrelid, attnum, attname, atttypid, attgenerated FROM pg_attribute
     WHERE attrelid = ANY (@relations::oid[]) AND attnum > 0 AND NOT attisdropped
), base(type, down) AS (
    SELECT DISTINCT atttypid, atttypid FROM columns
    UNION
    SELECT base.type, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
      FROM base JOIN pg_type t ON t.oid = base.down
     WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0)
), textless AS (
    SELECT base.type FROM base JOIN pg_type t ON t.oid = base.down
     WHERE t.typtype = 'b' AND t.typname = ANY (@textless::text[])
)
SELECT c.attrelid, c.attnum, c.attname, format_type(c.atttypid, -1),
       c.atttypid NOT IN (SELECT type FROM textless)
           AND NOT EXISTS (SELECT FROM excluded e WHERE e.oid = c.attrelid AND e.attname = c.attname AND e.path = ''),
       c.atttypid IN (SELECT base.type FROM base WHERE base.down = 'pg_catalog.bytea'::regtype),
       ARRAY(SELECT e.path FROM excluded e WHERE e.oid = c.attrelid AND e.attname = c.attname AND e.path <> ''),
       coalesce(k.position, 0), coalesce((` + equalSQL + `), '='), c.attgenerated = 'v'
  FROM columns c LEFT JOIN LATERAL (
           SELECT i.indclass, p.at + 1 AS position
             FROM (` + keyOf("c.attrelid") + `) i CROSS JOIN LATERAL (SELECT array_position(i.indkey::int2[], c.attnum) AS at) p
            WHERE p.at < i.indnkeyatts) k ON true
 ORDER BY c.attrelid, c.attnum`

// relation is one table, partition or child that may mention files.
type relation struct {
	oid          uint32
	schema, name string
	label        string // for people: with the schema if that is not the application's
	kind, method string
	signature    string
	readable     bool
	closed       bool     // our role may not use its schema
	columns      []column // those that can hold text, and count
	key          []column // what names a row, in the order of its index
	parents      []parent // without one of these the row is dead
	hasFileFK    bool     // a row goes with its file, by a foreign key
	deleted      bool     // a row may go with its file, or with what goes with that
	opened       string   // condition that somebody can open row t; empty where that cannot be told
	needsOpener  bool     // without it the row is dead
	grants       uint32   // then, the table that tells

	// From pruned.relation; id is 0 where the index does not know it yet.
	id         int
	generation int
	captured   bool // triggers note which rows are written
}

type column struct {
	num  int
	name string
	typ  string
	// binary: its base type is bytea.
	binary bool
	// virtual: it is computed while it is read, which may raise.
	virtual bool
	// equal is the operator that compares it, where it is part of the key.
	equal string
	// excluded are the paths within its JSON that do not count.
	excluded [][]string
}

func (r *relation) String() string { return r.schema + "." + r.name }

func (r *relation) quotedName() string { return pgx.Identifier{r.schema, r.name}.Sanitize() }

// canIndex reports whether the index can hold its mentions: a relation without versions,
// or without a key to name its rows by, is read in full each time.
func (r *relation) canIndex() bool { return r.kind == "r" && r.method == "heap" && len(r.key) > 0 }

// readCatalog reads the relations that may mention files, as of the transaction's next
// snapshot.
func (ix *Index) readCatalog(ctx context.Context, t pgx.Tx) ([]*relation, error) {
	if err := RefuseUnfit(ctx, t, ix.Schema); err != nil {
		return nil, err
	}
	rows, _ := t.Query(ctx, catalogSQL, ix.ExecMode(), ix.catalogArgs(nil))
	relations, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*relation, error) {
		r := &relation{}
		err := row.Scan(&r.oid, &r.schema, &r.name, &r.kind, &r.method, &r.signature, &r.readable, &r.deleted)
		if r.label = r.name; r.schema != ix.Schema {
			r.label = r.String()
		}
		return r, err
	})
	if err != nil {
		return nil, pgerr.Translate(err, "list the tables of schema %s", ix.Schema)
	}
	byOID := make(map[uint32]*relation, len(relations))
	oids := make([]uint32, 0, len(relations))
	for _, r := range relations {
		byOID[r.oid] = r
		oids = append(oids, r.oid)
	}
	if err := ix.readColumns(ctx, t, oids, byOID); err != nil {
		return nil, err
	}
	if err := ix.readParents(ctx, t, oids, byOID); err != nil {
		return nil, err
	}
	return relations, ix.readOpened(ctx, t, relations)
}

func (ix *Index) readColumns(ctx context.Context, t pgx.Tx, oids []uint32, byOID map[uint32]*relation) error {
	rows, _ := t.Query(ctx, columnsSQL, ix.ExecMode(), ix.catalogArgs(pgx.NamedArgs{"relations": oids, "textless": textless}))
	var oid uint32
	var c column
	var text bool
	var paths []string
	var position int
	keys := map[uint32]map[int]column{}
	_, err := pgx.ForEachRow(rows, []any{&oid, &c.num, &c.name, &c.typ, &text, &c.binary, &paths, &position, &c.equal, &c.virtual}, func() error {
		r := byOID[oid]
		c.excluded = nil
		for _, path := range paths {
			c.excluded = append(c.excluded, strings.Split(path, "."))
		}
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
	return pgerr.Translate(err, "list the columns of the tables")
}

func (r *relation) hasColumn(name string) bool {
	return slices.ContainsFunc(r.columns, func(c column) bool { return c.name == name })
}

// QuoteName quotes an identifier.
func QuoteName(name string) string { return pgx.Identifier{name}.Sanitize() }
