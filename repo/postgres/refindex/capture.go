package refindex

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/postgres/pgerr"
)

// A look reads each table for the rows that changed. Where triggers note the key of every row
// that is written, in pruned.captured, it reads these rows alone. Why none is missed:
//
//  1. The note is a row of the writer's own transaction, or of its savepoint: a snapshot sees
//     both or none. Its xmin is never older than the row's.
//  2. A pass that finds the triggers in order writes down what they are (armedSQL), and the
//     end of its snapshot, C. Whoever makes, enables or changes a trigger waits for all who
//     write to the table: so what was written without one has a number below C.
//     Rows that transactions from C on wrote are captured as long as the triggers are the
//     same; and a look reads rows from its mark on, which has to be C or later.
//  3. "The same" are the versions (xmin, ctid) of the rows of the catalog that say what fires:
//     the table, its columns, triggers and their functions. A trigger that was disabled and
//     enabled again, or a table that was a partition in between, has others. So has a table
//     that was rewritten, which gives rows new versions without a trigger. Whoever sees a row
//     that was written in between sees the catalog of that time, or of later.
//  4. Where there are too many notes the triggers write none: they make a sequence grow, which
//     is part of what they are, and which no transaction hides. A pass reads it before it
//     takes C.
//  5. Passes delete notes that are older than the marks before theirs, and raise C to these: a
//     recheck that reads from an older mark finds C younger, and reads the tables.
//  6. A row that is noted and that the table's index does not find was deleted, or the index is
//     blind: the table is read. So it is where a statement wrote more rows than are worth
//     noting, which leaves a note without a key.
//  7. A crash takes away neither of a row and its note, or the row as well: while
//     pruned.captured is UNLOGGED nothing is captured.
//
// Logical replication fires no triggers but those for replicas, each row. Partitions and heirs
// are written by way of tables that have other triggers: they are read.

const (
	captureFunction    = "capture"     // of statements
	captureRowFunction = "capture_row" // of each row
)

// The limits of what is captured: the rows of a statement, and the bytes of pruned.captured
// while no pass takes them away. Beyond, tables are read; so are those that have fewer pages
// than that for each noted row, since to look for a row by its key takes several.
const (
	maxCapturedStatement = 1000
	maxCapturedBytes     = 64 << 20
	pagesPerNote         = 8
)

// captureBodies are the bodies of the trigger functions. They raise nothing, whatever
// becomes of our tables and of its own: the application could not write. Where no column id
// is, or none yet in an old snapshot of the writer's, the table has to be read. A column may
// have the name of a variable. All names are qualified, which takes less time than a search
// path of their own.
var captureBodies = map[string]string{
	captureFunction: captureBody(fmt.Sprintf(`
        INSERT INTO pruned.captured SELECT TG_RELID, id::pg_catalog.text FROM changed LIMIT %d;
        GET DIAGNOSTICS noted = ROW_COUNT;
        IF noted OPERATOR(pg_catalog.>) %d THEN
            INSERT INTO pruned.captured VALUES (TG_RELID);
        END IF;`, maxCapturedStatement+1, maxCapturedStatement)),
	captureRowFunction: captureBody(`
        INSERT INTO pruned.captured VALUES (TG_RELID, NEW.id::pg_catalog.text);`),
}

func captureBody(note string) string {
	return fmt.Sprintf(`
#variable_conflict use_variable
DECLARE
    size bigint := pg_catalog.pg_relation_size(pg_catalog.to_regclass('pruned.captured'));
    noted bigint;
BEGIN
    IF size OPERATOR(pg_catalog.<=) %[1]d
       AND EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) TG_RELID AND attname OPERATOR(pg_catalog.=) 'id') THEN%[2]s
    ELSIF size OPERATOR(pg_catalog.<=) %[1]d THEN
        INSERT INTO pruned.captured VALUES (TG_RELID);
    ELSIF size IS NOT NULL THEN
        PERFORM pg_catalog.nextval('pruned.uncaptured');
    END IF;
    RETURN NULL;
END `, maxCapturedBytes, note)
}

// captureTrigger is a trigger that notes rows: when it fires, as text and as the catalog has it.
type captureTrigger struct {
	name, function, when string
	typ                  int    // pg_trigger.tgtype
	enabled              string // pg_trigger.tgenabled
}

// captureTriggers: statements whose triggers have transition tables have one event each.
var captureTriggers = []captureTrigger{
	{"pruned_captures_insert", captureFunction, "AFTER INSERT ON %s REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", 4, "O"},
	{"pruned_captures_update", captureFunction, "AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", 16, "O"},
	{"pruned_captures_replica", captureRowFunction, "AFTER INSERT OR UPDATE ON %s FOR EACH ROW", 21, "R"},
}

// plainTypes are those of which each value has one text, whatever a session's settings: who
// writes a row has others than who reads it.
var plainTypes = []string{"text", "character varying", "uuid", "smallint", "integer", "bigint", "numeric"}

// canCapture: its rows are named by the column that the functions know.
func (r *relation) canCapture() bool {
	return r.canIndex() && len(r.key) == 1 && r.key[0].name == "id" && slices.Contains(plainTypes, r.key[0].typ) && len(r.columns) > 0
}

// expectedTriggersSQL lists the triggers as the catalog has them.
func expectedTriggersSQL() string {
	var rows []string
	for _, g := range captureTriggers {
		rows = append(rows, fmt.Sprintf("('%s', '%s', %d, '%s')", g.name, g.function, g.typ, g.enabled))
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") e (name, function, type, enabled)"
}

// intactSQL lists the functions whose bodies are ours. PostgreSQL asks that once for all tables.
func intactSQL() string {
	var rows []string
	for _, name := range slices.Sorted(maps.Keys(captureBodies)) {
		rows = append(rows, fmt.Sprintf("('%s', '%x')", name, sha256.Sum256([]byte(captureBodies[name]))))
	}
	return `ARRAY(SELECT f.oid FROM pg_proc f JOIN (VALUES ` + strings.Join(rows, ", ") + `) b (name, body)
                        ON f.pronamespace = to_regnamespace('pruned') AND f.proname = b.name AND encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex') = b.body)`
}

// uncapturedSQL is the state of the sequence.
const uncapturedSQL = `(SELECT concat(last_value, is_called) FROM pruned.uncaptured)`

// armedSQL describes by what the rows of the relation relid are captured: NULL where they are
// not.
func armedSQL(relid, uncaptured string) string {
	return `(
    SELECT md5(concat_ws(' ', ` + uncaptured + `, c.xmin, c.ctid, pg_relation_filenode(c.oid), pg_relation_filenode(to_regclass('pruned.captured')), g.versions,
               (SELECT string_agg(concat(a.xmin, a.ctid), ' ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)))
      FROM pg_class c CROSS JOIN LATERAL (
               SELECT count(*) AS n, string_agg(concat_ws(' ', t.oid, t.xmin, t.ctid, p.oid, p.xmin, p.ctid), ' ' ORDER BY t.tgname) AS versions
                 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid AND p.oid = ANY (` + intactSQL() + `)
                 JOIN ` + expectedTriggersSQL() + ` ON e.name = t.tgname AND e.function = p.proname AND e.type = t.tgtype AND e.enabled = t.tgenabled::text
                WHERE t.tgrelid = c.oid AND t.tgqual IS NULL AND t.tgattr = ''::int2vector AND NOT t.tgisinternal) g
     WHERE c.oid = ` + relid + ` AND c.relkind = 'r' AND g.n = ` + fmt.Sprint(len(captureTriggers)) + `
       AND (SELECT n.relpersistence = 'p' FROM pg_class n WHERE n.oid = to_regclass('pruned.captured'))
       AND NOT EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)))`
}

// notOurTriggerSQL is the condition that trigger t is none of ours.
var notOurTriggerSQL = fmt.Sprintf(`tgfoid <> ALL (ARRAY(SELECT oid FROM pg_proc WHERE pronamespace = to_regnamespace('pruned') AND proname IN ('%s', '%s')))`,
	captureFunction, captureRowFunction)

// captureCTE lists, for the statement that begins with it, the rows that were noted, and
// usable: the relations, by their numbers, of which all rows since a bound are among them.
// unless is a condition under which nobody asks. It is empty where nothing is captured. By
// OFFSET 0 the planner looks for each noted row as it does in notedRowsSQL, and not in the table what
// it then asks an index for. CASE: of thousands of rows it would ask first, and then whether
// somebody wants to know.
func captureCTE(relations []*relation, bound func(i int, r *relation) string, unless string) string {
	var usable []string
	for i, r := range relations {
		if r.captured {
			usable = append(usable, fmt.Sprintf(`
    SELECT %[1]d WHERE CASE WHEN (SELECT since FROM armed WHERE id = %[1]d) <= %[2]s
           THEN NOT EXISTS (SELECT FROM touched c WHERE c.relid = %[3]d AND NOT EXISTS (SELECT FROM ONLY %[4]s t WHERE %[5]s OFFSET 0)) END`,
				r.id, bound(i, r), r.oid, r.quotedName(), r.keyIs("c.row_id")))
		}
	}
	if len(usable) == 0 {
		return ""
	}
	return `
touched (relid, row_id) AS MATERIALIZED (
    SELECT DISTINCT relid, row_id FROM pruned.captured WHERE NOT (` + unless + `)
), armed (id, since) AS MATERIALIZED (
    SELECT r.id, r.captured_from FROM pruned.relation r
     WHERE r.captured IS NOT NULL AND NOT (` + unless + `)
       AND (SELECT count(*) FROM touched c WHERE c.relid = r.relid) * ` + fmt.Sprint(pagesPerNote) + ` <= pg_relation_size(r.relid) / current_setting('block_size')::bigint
       AND r.captured = ` + armedSQL("r.relid", uncapturedSQL) + `
), usable (id) AS MATERIALIZED (` + strings.Join(usable, "\n     UNION ALL") + `
)`
}

// lookCaptureCTE is captureCTE for a look, which reads from the marks on.
func lookCaptureCTE(relations []*relation) string {
	return afterQuiet(captureCTE(relations, func(_ int, r *relation) string { return r.boundSQL() }, quietSQL))
}

// recheckCaptureCTE is captureCTE for a recheck. Where rows may live again it reads from the
// marks on, too.
func recheckCaptureCTE(relations []*relation) string {
	return afterQuiet(captureCTE(relations, func(i int, r *relation) string {
		since := fmt.Sprintf("($7::text[])[%d]::xid8", i+1)
		if r.needsOpener {
			return "least(" + since + ", " + r.boundSQL() + ")"
		}
		return since
	}, quietSQL))
}

// passCaptureCTE is captureCTE for a pass, and the list of what is usable.
func passCaptureCTE(relations []*relation) (with, usable string) {
	with = captureCTE(relations, func(_ int, r *relation) string { return r.boundSQL() }, "false")
	if with == "" {
		return "", "'{}'::int[]"
	}
	return "WITH" + with, "ARRAY(SELECT id FROM usable)"
}

func afterQuiet(cte string) string {
	if cte == "" {
		return ""
	}
	return "," + cte
}

// boundSQL is the relation's mark as it is, of which markSQL is the short form.
func (r *relation) boundSQL() string {
	return fmt.Sprintf("(SELECT w FROM pruned.relation WHERE id = %d)", r.id)
}

// usableSQL is the condition that all changed rows of the relation are among the noted.
func (r *relation) usableSQL() string {
	return fmt.Sprintf("(SELECT EXISTS (SELECT FROM usable WHERE id = %d))", r.id)
}

// notedRowsSQL are the relation's rows t that were noted. The columns by which versions are
// compared come with them.
func (r *relation) notedRowsSQL() string {
	return fmt.Sprintf("(SELECT row_id FROM touched WHERE relid = %d) c CROSS JOIN LATERAL (SELECT t.xmin, t.ctid, t.* FROM ONLY %s t WHERE %s OFFSET 0) t",
		r.oid, r.quotedName(), r.keyIs("c.row_id"))
}

// isNotedSQL is the condition that t is one of the relation's noted rows.
func (r *relation) isNotedSQL() string {
	return fmt.Sprintf(`t."id" %s ANY (ARRAY(SELECT row_id::%s FROM pruned.captured WHERE relid = %d))`, r.key[0].equal, r.key[0].typ, r.oid)
}

// captureState is what a pass finds before it takes its snapshots.
type captureState struct {
	installed  bool
	uncaptured string
}

// readCapture reads by what rows are captured. It has to be a statement before the one from
// whose snapshot on they count as captured.
func readCapture(ctx context.Context, t pgx.Tx) (s captureState, err error) {
	err = t.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal AND NOT `+notOurTriggerSQL+`)
		OR EXISTS (SELECT FROM pruned.relation WHERE captured IS NOT NULL), `+uncapturedSQL).Scan(&s.installed, &s.uncaptured)
	return s, pgerr.Translate(err, "look for the triggers that capture rows")
}

// forgetCapturedSQL deletes notes of rows that are older than every mark, before the marks move:
// rechecks that began before read from these.
var forgetCapturedSQL = `
WITH kept AS (
    UPDATE pruned.relation SET captured_from = m.w FROM ` + oldestMarkSQL + ` m WHERE captured_from < m.w
)
DELETE FROM pruned.captured t WHERE NOT ` + changedSince(oldestMarkSQL+"::xid")

// armSQL begins anew with relations that are captured by something else than before. Nobody
// needs what was noted until then, under a key that may have had another type.
var armSQL = `
WITH anew AS (
    UPDATE pruned.relation r SET captured = now.captured, captured_from = pg_snapshot_xmax(pg_current_snapshot())
      FROM (SELECT r.id, ` + armedSQL("r.relid", "$1::text") + ` FROM pruned.relation r) now (id, captured)
     WHERE now.id = r.id AND r.captured IS DISTINCT FROM now.captured
    RETURNING relid
)
DELETE FROM pruned.captured WHERE relid IN (SELECT relid FROM anew)`

// keepCapture does what a pass does for the next looks, before it moves the marks.
func (s captureState) keepCapture(ctx context.Context, t pgx.Tx) error {
	if !s.installed {
		return nil
	}
	if _, err := t.Exec(ctx, forgetCapturedSQL); err != nil {
		return pgerr.Translate(err, "forget captured rows")
	}
	_, err := t.Exec(ctx, armSQL, s.uncaptured)
	return pgerr.Translate(err, "look by what rows are captured")
}
