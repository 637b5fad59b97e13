package refindex

import (
	"fmt"
	"slices"
	"strings"
)

// A search is one statement over all tables, so that the index, the mark up to which it is
// true (W) and the rows that changed since are seen in one snapshot. Its rows are (part,
// source, row, column number, text).
const (
	partHeader  = 0 // text: a JSON object
	partIndex   = 1 // text: a file id that the index finds mentioned by a row that did not change since
	partChanged = 2 // text: the value of a column of a row that changed since
	partUnknown = 3 // text: a file id that the index does not know yet
	partRow     = 4 // text: an id that has a row in table file
	partLink    = 5 // text: a file id, whose link went with it and would live again
	partKept    = 6 // text: a file id that somebody keeps (repo.Keeps)
	partDead    = 7 // text: partChanged, of a row that does not live
)

// The parameters of a search: the ids, $1, the schema, $2, those of its quietCTE: a snapshot,
// $3, our own transactions, $4, the server, $5; and whether the catalog at the snapshot is known
// to be the plan's, $6. Those of a recheck: the ids, the schema, the exclusions, $3,
// those of its quietCTE, $4 to $6, from where each relation is read, $7, whether the catalog is
// known, $8, and where rows may live again (revivedSQL) the ids to look for, $9, and their links.
// They have numbers since the statements hold names (see Index.catalogArgs).
var lookParameters = strings.NewReplacer("@schema", "$2", "@excluded", "$3")

// marksSQL are the marks of all relations, by their numbers.
const marksSQL = `SELECT jsonb_object_agg(id, w::text) FROM pruned.relation`

// headerSQL returns the state that an answer rests on. The catalog is read by the recheck
// alone: what a search found by a plan for other tables is thrown away then. What deletions do
// is asked by FindIndexed as well, before it leaves anything unread. The marks are what it
// leaves to the recheck.
func headerSQL(catalog, deletes, marks string) string {
	return lookParameters.Replace(`
SELECT 0, 0, NULL::text, 0, jsonb_build_object(
         'snapshot', pg_current_snapshot()::text,
         'same', s.identity = ` + identitySQL + `,
         'catalog', (` + catalog + `),
         'index', (` + indexDigestSQL + `),
         'server', ` + serverSQL + `,
         'own', pg_current_xact_id_if_assigned()::text,
         'generation', (SELECT min(generation) FROM pruned.relation),
         'deletes', (` + deletes + `),
         'marks', (` + marks + `),
         'quiet', ` + quietSQL + `,
         'sound', (` + soundSQL + `))::text
  FROM pruned.state s`)
}

// unlessKnown asks something about the catalog, unless that is known since nobody but us wrote.
// A setting of which keys are enforced changes without a write.
func unlessKnown(known, query string) string {
	return "SELECT CASE WHEN " + known + "::boolean AND " + quietSQL + " AND current_setting('session_replication_role') <> 'replica' THEN NULL ELSE (" + query + ") END"
}

// identitySQL names the source and the reader of the index. The oid of pruned.reference is
// part of it, since a dump restored into the same database brings old row versions' marks
// with new rows. The reader's number goes up with every change of the mentions that passes
// find in a text, or record of it: an index that an older pruned built, or brought up to
// date meanwhile, lacks them.
const identitySQL = `concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
             (SELECT oid FROM pg_database WHERE datname = current_database()), @schema::text,
             'pruned.reference'::regclass::oid, 'reader 3')`

// soundSQL tells whether every mark can be compared by age(): not from a future that this
// cluster has not seen, not so far behind that it may wrap around.
const soundSQL = `SELECT coalesce(bool_and(w <= pg_snapshot_xmax(pg_current_snapshot())
                 AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - w::text::numeric < 1000000000), true)
            FROM pruned.relation`

// catalogDigestSQL changes with everything that a plan rests on: the tables, the enforced
// links, the reasons that make the database unfit.
var catalogDigestSQL = relationsCTE + `, ` + linkedCTE + `, ` + unfitCTE + `
         SELECT md5(concat_ws(' ',
                  (SELECT string_agg(md5(` + signatureSQL + `), '' ORDER BY c.oid) FROM relations JOIN pg_class c USING (oid)
                    WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't'),
                  (SELECT string_agg(concat_ws(':', relation, attname, parent), ',' ORDER BY relation, attname) FROM linked),
                  (SELECT string_agg(what, ',' ORDER BY what) FROM unfit)))`

const indexDigestSQL = `SELECT coalesce(md5(string_agg(concat_ws(':', id, relid, signature, generation, captured IS NOT NULL), ',' ORDER BY id)), '')
            FROM pruned.relation`

// KeptSQL is the condition that a row of pruned.keep has not ended.
const KeptSQL = `(lasts IS NULL OR made_at + make_interval(secs => lasts) > clock_timestamp())`

// findSQL is the statement of FindReferences.
func findSQL(relations []*relation) string {
	var b strings.Builder
	b.WriteString(quietLookCTE() + lookCaptureCTE(relations) + indexedSQL(relations, "NULL", "NULL"))
	for i, r := range relations {
		b.WriteString(r.textBranch(i, r.changedSinceIndex()))
	}
	return b.String()
}

// findIndexedSQL is the statement of FindIndexed. What the index cannot hold is read whole,
// and what may go with a file is read now: at the end it would be gone, and tell nothing.
func findIndexedSQL(relations []*relation) string {
	var b strings.Builder
	b.WriteString(quietLookCTE() + lookCaptureCTE(readFirst(relations)) + indexedSQL(relations, unlessKnown("$6", deletesSQL), marksSQL))
	for i, r := range relations {
		if r.isReadFirst() {
			b.WriteString(r.textBranch(i, r.changedSinceIndex()))
		}
	}
	return b.String()
}

// isReadFirst says that FindIndexed reads what changed in the relation. Links that go with no
// file by a key our own statements delete.
func (r *relation) isReadFirst() bool {
	return r.deleted || !r.canIndex() || slices.Contains(linkTables, r.name)
}

func readFirst(relations []*relation) []*relation {
	return slices.DeleteFunc(slices.Clone(relations), func(r *relation) bool { return !r.isReadFirst() })
}

// indexedSQL is what the index says, what it does not know, and what somebody keeps.
func indexedSQL(relations []*relation, deletes, marks string) string {
	return headerSQL("NULL", deletes, marks) + `
UNION ALL
SELECT 3, 0, NULL, 0, id FROM unnest($1::text[]) id
 WHERE NOT EXISTS (SELECT FROM pruned.known_file k
                    WHERE k.file_id = id AND k.generation <= (SELECT min(generation) FROM pruned.relation))
UNION ALL
SELECT 6, 0, NULL, 0, file_id FROM pruned.keep WHERE file_id = ANY ($1::text[]) AND ` + KeptSQL + indexBranch(relations)
}

// indexBranch returns the first living reference of each id. A row that changed since W
// does not count here: its new text is read by its table's own branch.
func indexBranch(relations []*relation) string {
	var cases strings.Builder
	for _, r := range relations {
		if r.canIndex() {
			fmt.Fprintf(&cases, "\n        WHEN %d THEN EXISTS (SELECT FROM ONLY %s t WHERE %s AND NOT %s%s)",
				r.id, r.quotedName(), r.keyIs("r.row_id"), r.isChanged(), r.aliveSQL())
		}
	}
	if cases.Len() == 0 {
		return ""
	}
	return `
UNION ALL
SELECT 1, r.source, r.row_id, 0, r.file_id
  FROM unnest($1::text[]) id CROSS JOIN LATERAL (
    SELECT r.file_id, r.source, r.row_id FROM pruned.reference r
     WHERE r.file_id = id AND CASE r.source` + cases.String() + `
        ELSE false END
     LIMIT 1) r`
}

// recheckSQL is the statement of RecheckReferences.
func recheckSQL(relations []*relation, fileTable string) string {
	var b strings.Builder
	b.WriteString(quietCTE("$4", "$5", "$6", "true") + recheckCaptureCTE(relations) + headerSQL(unlessKnown("$8", catalogDigestSQL), unlessKnown("$8", deletesSQL), "NULL"))
	b.WriteString("\nUNION ALL SELECT 4, 0, NULL, 0, id FROM " + fileTable + " WHERE id = ANY ($1::text[])")
	for i, r := range relations {
		if r.isReadFirst() {
			b.WriteString(r.textBranch(i, r.changedByOthers(i)))
		} else {
			b.WriteString(r.partBranch(i, r.livingPartSQL(), r.changedByOthers(i)))
		}
	}
	b.WriteString(revivedSQL(relations))
	return b.String()
}

// textBranch reads the columns that can hold text, a row a column, of the living rows
// that match. i names the relation in the answer.
func (r *relation) textBranch(i int, where string) string {
	return r.partBranch(i, "2", where+r.aliveSQL())
}

// livingPartSQL is the part of a row that changed, for readings whether it lives or not.
func (r *relation) livingPartSQL() string {
	if r.aliveSQL() == "" {
		return "2"
	}
	return "CASE WHEN true" + r.aliveSQL() + " THEN 2 ELSE 7 END"
}

// partBranch is textBranch of all rows that match, each of a part.
func (r *relation) partBranch(i int, part, where string) string {
	if len(r.columns) == 0 {
		return ""
	}
	read := func(from, condition string) string {
		return fmt.Sprintf("\nUNION ALL SELECT %s, %d, %s, v.n, v.text FROM %s%s WHERE v.text IS NOT NULL%s%s",
			part, i, r.keyText(), from, r.textsSQL(), condition, where)
	}
	whole := "ONLY " + r.quotedName() + " t"
	if !r.captured {
		return read(whole, "")
	}
	return read(whole, " AND NOT "+r.usableSQL()) + read(r.notedRowsSQL(), " AND "+r.usableSQL())
}

// changedSinceIndex is the condition of rows that the index does not cover.
func (r *relation) changedSinceIndex() string {
	if !r.canIndex() {
		return ""
	}
	return unlessQuiet + " AND " + r.isChanged()
}

// changedByOthers is the condition of rows that somebody else committed since the i-th
// transaction of $7. A row that is visible and yet in progress is our own: an audit trigger's
// row, also below a savepoint of the trigger's, whose number is not ours. The full number
// of xmin is counted from the snapshot's end: age() alone counts from where it was first
// called in the transaction.
func (r *relation) changedByOthers(i int) string {
	if r.kind != "r" || r.method != "heap" {
		return ""
	}
	return unlessQuiet + fmt.Sprintf(` AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[%d]::xid8::xid)) AND age(t.xmin) > `, i+1) + ageOfEndSQL + `
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END`
}

// markSQL is the relation's mark, read in the statement that uses it.
func (r *relation) markSQL() string {
	return fmt.Sprintf("(SELECT w::xid FROM pruned.relation WHERE id = %d)", r.id)
}

// keyText is how the index names row t.
func (r *relation) keyText() string {
	var parts []string
	for _, c := range r.key {
		parts = append(parts, "t."+QuoteName(c.name)+"::text")
	}
	switch len(parts) {
	case 0:
		return "NULL"
	case 1:
		return parts[0]
	}
	return "ARRAY[" + strings.Join(parts, ", ") + "]::text"
}

// keyIs is the condition that t is the row named by a text expression; it can
// use the primary key.
func (r *relation) keyIs(name string) string {
	if len(r.key) == 1 {
		return "t." + QuoteName(r.key[0].name) + " " + r.key[0].equal + " " + name + "::" + r.key[0].typ
	}
	var parts []string
	for i, c := range r.key {
		parts = append(parts, fmt.Sprintf("t.%s %s (%s::text[])[%d]::%s", QuoteName(c.name), c.equal, name, i+1, c.typ))
	}
	return strings.Join(parts, " AND ")
}

// Row versions are compared by age(), which counts on a ring: a row that was frozen
// keeps the number that it had, and two thousand million transactions later that
// number looks like one of the future. A row that a snapshot sees has in truth a
// number below the snapshot's end, unless it is our own. So what looks younger than
// that end is as old as a row can be.

// ageOfEndSQL is the age of the end of the statement's own snapshot.
const ageOfEndSQL = `(SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))`

// ownVersions is how far beyond that end the numbers of our own transaction, and of its
// savepoints, may be: its own rows count as well.
const ownVersions = "1048576"

// changedSince is the condition that row version t is not older than a mark. It is asked of
// every row: the mark's own age is asked once.
func changedSince(mark string) string {
	return "(age(t.xmin) <= (SELECT age(" + mark + ")) AND age(t.xmin) > " + ageOfEndSQL + " - " + ownVersions + ")"
}
