package refindex

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// link is a column of a table of Open WebUI's that names the parent which its row goes
// with.
type link struct{ table, column, parent string }

// links are those that a foreign key enforces: openwebui.Parents, and those to the file.
var links = func() (list []link) {
	for _, p := range openwebui.Parents {
		if p.Child != channelLink.table {
			list = append(list, link{p.Child, p.Column, p.Table})
		}
	}
	for _, table := range linkTables {
		list = append(list, link{table, "file_id", "file"})
	}
	return list
}()

// channelLink is the one without a foreign key: Open WebUI deletes a channel and
// leaves its messages for ever.
var channelLink = link{"message", "channel_id", "channel"}

// linksSQL lists the links as rows.
var linksSQL = func() string {
	var rows []string
	for _, l := range links {
		rows = append(rows, "('"+l.table+"', '"+l.column+"', '"+l.parent+"')")
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") l (child, attname, parent)"
}()

// linkedCTE finds the links that are enforced in fact, as (relation, attname, parent);
// those of a partition as well, whose constraints are the family of the declared one. The
// declaration of a foreign key holds only where it is validated, is enforced (a column
// that PostgreSQL has from 18 on), and all of its triggers fire, on both sides: those on
// the parent delete, those on the child lock the parent. They fire neither in sessions
// that are replicas nor for rows of a subscription.
var linkedCTE = `
declared (root, attname, parent) AS (
    SELECT k.oid, l.attname, l.parent
      FROM ` + linksSQL + ` JOIN pg_constraint k ON k.conrelid = to_regclass(format('%I.%I', @schema::text, l.child))
       AND k.confrelid = to_regclass(format('%I.%I', @schema::text, l.parent))
       AND k.contype = 'f' AND k.confdeltype = 'c' AND k.conparentid = 0 AND cardinality(k.conkey) = 1
      JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1] AND c.attname = l.attname
      JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1] AND p.attname = 'id'
), family (oid, root) AS (
    SELECT root, root FROM declared
    UNION
    SELECT k.oid, family.root FROM family JOIN pg_constraint k ON k.conparentid = family.oid AND k.contype = 'f'
), enforced (root) AS (
    SELECT f.root FROM family f JOIN pg_constraint k USING (oid)
     WHERE current_setting('session_replication_role') <> 'replica'
       AND NOT EXISTS (SELECT FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c
                        WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                          AND c ~* '^session_replication_role=.*replica')
     GROUP BY f.root
    HAVING bool_and(k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
               AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A'))
               AND NOT EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid IN (k.conrelid, k.confrelid)))
), linked (relation, attname, parent) AS (
    SELECT DISTINCT k.conrelid, d.attname, d.parent
      FROM enforced e JOIN declared d USING (root) JOIN family f USING (root) JOIN pg_constraint k ON k.oid = f.oid
)`

// parentsSQL lists the parents of some relations.
var parentsSQL = `WITH RECURSIVE ` + linkedCTE + `
SELECT l.relation, l.attname, l.parent FROM linked l WHERE l.relation = ANY (@relations::oid[]) ORDER BY 1, 2, 3`

// channelLinkSQL asks whether both sides of the loose link are text: after a migration by
// hand they may not even be comparable.
const channelLinkSQL = `
SELECT count(*) = 2 FROM pg_attribute WHERE NOT attisdropped AND atttypid IN ('text'::regtype, 'varchar'::regtype)
   AND (attrelid = to_regclass(@child) AND attname = @column OR attrelid = to_regclass(@parent) AND attname = 'id')`

// readParents fills in the parents of the relations, and which relations go with their
// file.
func (ix *Index) readParents(ctx context.Context, t pgx.Tx, oids []uint32, byOID map[uint32]*relation) error {
	rows, _ := t.Query(ctx, parentsSQL, ix.ExecMode(), ix.catalogArgs(pgx.NamedArgs{"relations": oids}))
	var oid uint32
	var p parent
	_, err := pgx.ForEachRow(rows, []any{&oid, &p.column, &p.table}, func() error {
		r := byOID[oid]
		if p.table == "file" {
			// A row whose file is gone mentions nothing that matters.
			r.hasFileFK = true
		} else {
			r.parents = append(r.parents, parent{ix.Schema, p.table, p.column, true})
		}
		return nil
	})
	if err != nil {
		return pgerr.Translate(err, "list the foreign keys")
	}
	var alike bool
	err = t.QueryRow(ctx, channelLinkSQL, pgx.NamedArgs{"child": ix.quotedTable(channelLink.table), "column": channelLink.column, "parent": ix.quotedTable(channelLink.parent)}).Scan(&alike)
	for _, r := range byOID {
		if alike && r.schema == ix.Schema && r.name == channelLink.table && r.hasColumn(channelLink.column) {
			r.parents = append(r.parents, parent{ix.Schema, channelLink.parent, channelLink.column, false})
		}
	}
	return pgerr.Translate(err, "look for the channels of messages")
}

// parent is a row that another row cannot live without.
type parent struct {
	schema, table string
	column        string // of the child; it names the parent's id
	enforced      bool   // by a foreign key, which deletes the row with its parent
}

func (p *parent) quotedName() string { return pgx.Identifier{p.schema, p.table}.Sanitize() }

// aliveSQL is the condition under which row t of the relation lives, or nothing. By
// Config.DepartedIgnore a row that nobody can open is as good as dead.
func (r *relation) aliveSQL() string { return r.hasParentsSQL() + r.openedSQL() }

// hasParentsSQL is the part of aliveSQL about what the row belongs to. Where a foreign key is
// enforced, a row without its parent is one that was written while it was not, as by a
// restore: if no parent is there at all, they are still to come.
func (r *relation) hasParentsSQL() string {
	var b strings.Builder
	for _, p := range r.parents {
		column := "t." + QuoteName(p.column)
		b.WriteString(" AND (" + column + " IS NULL OR EXISTS (SELECT FROM " + p.quotedName() + " p WHERE p.id OPERATOR(pg_catalog.=) " + column + ")")
		if p.enforced {
			b.WriteString(" OR NOT EXISTS (SELECT FROM " + p.quotedName() + ")")
		}
		b.WriteString(")")
	}
	return b.String()
}

// linkTables are the application's own links to files. Their foreign keys cascade; in a
// database that was copied by hand they may be missing, or not enforced.
var linkTables = []string{"chat_file", "channel_file", "knowledge_file"}

// unenforcedSQL lists the link tables whose links do not go with their file, and the
// columns and parents without which they are dead.
var unenforcedSQL = `WITH RECURSIVE ` + linkedCTE + `
SELECT c.oid, c.relname::text, array_remove(array_agg(l.attname::text ORDER BY l.attname), NULL), array_remove(array_agg(l.parent::text ORDER BY l.attname), NULL)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN linked l ON l.relation = c.oid
 WHERE n.nspname = @schema::text AND c.relname = ANY (@tables::text[]) AND c.relkind IN ('r', 'p')
 GROUP BY c.oid, c.relname
HAVING bool_and(l.parent IS DISTINCT FROM 'file')
 ORDER BY c.relname`

// UnenforcedLinks is a link table whose rows no foreign key deletes with their file.
type UnenforcedLinks struct {
	Name  string
	Table string // quoted, with its schema
	// Dead is the condition under which row t of it is dead; empty where nothing tells.
	Dead string
}

// UnenforcedLinks lists the link tables that exist and have no foreign key to table file
// that cascades in fact, as they were for the last search: RecheckReferences refuses what
// was done if they changed.
func (ix *Index) UnenforcedLinks(ctx context.Context, t pgx.Tx) ([]UnenforcedLinks, error) {
	if p := ix.LastPlan.Load(); p != nil {
		return p.unenforced, nil
	}
	return ix.readUnenforcedLinks(ctx, t)
}

func (ix *Index) readUnenforcedLinks(ctx context.Context, t pgx.Tx) ([]UnenforcedLinks, error) {
	rows, _ := t.Query(ctx, unenforcedSQL, ix.ExecMode(), ix.catalogArgs(pgx.NamedArgs{"tables": linkTables}))
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (UnenforcedLinks, error) {
		r := &relation{schema: ix.Schema}
		var columns, parents []string
		err := row.Scan(&r.oid, &r.name, &columns, &parents)
		for i := range columns {
			r.parents = append(r.parents, parent{ix.Schema, parents[i], columns[i], true})
		}
		links := UnenforcedLinks{Name: r.name, Table: r.quotedName()}
		if len(r.parents) > 0 {
			links.Dead = "NOT (true" + r.aliveSQL() + ")"
		}
		return links, err
	})
	return tables, pgerr.Translate(err, "look for the foreign keys of the link tables")
}

// idleLinksSQL lists the links that no foreign key enforces, and a remedy for each.
var idleLinksSQL = `WITH RECURSIVE ` + linkedCTE + `
SELECT format('%I.%I', l.child, l.attname),
       CASE WHEN k.oid IS NULL OR k.confdeltype <> 'c'
            THEN format('ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES %s (id) ON DELETE CASCADE;', c.oid::regclass, l.attname, p.oid::regclass)
            WHEN NOT coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
            THEN format('ALTER TABLE %s ALTER CONSTRAINT %I ENFORCED;', c.oid::regclass, k.conname)
            WHEN NOT k.convalidated
            THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', c.oid::regclass, k.conname)
            ELSE format('ALTER TABLE %s ENABLE TRIGGER ALL; ALTER TABLE %s ENABLE TRIGGER ALL; and no role with session_replication_role = replica, nor a subscription', c.oid::regclass, p.oid::regclass) END
  FROM ` + linksSQL + `
  JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', @schema::text, l.child)) AND c.relkind IN ('r', 'p')
  JOIN pg_class p ON p.oid = to_regclass(format('%I.%I', @schema::text, l.parent))
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = l.attname AND NOT a.attisdropped
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.confrelid = p.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
 WHERE NOT EXISTS (SELECT FROM linked WHERE linked.relation = c.oid AND linked.attname = l.attname AND linked.parent = l.parent)
 ORDER BY 1, 2`

// IdleLinks lists the columns that no foreign key enforces, and a remedy for each.
func (ix *Index) IdleLinks(ctx context.Context, t pgx.Tx) (columns, remedies []string, err error) {
	rows, _ := t.Query(ctx, idleLinksSQL, ix.catalogArgs(nil))
	var column, remedy string
	_, err = pgx.ForEachRow(rows, []any{&column, &remedy}, func() error {
		columns, remedies = append(columns, column), append(remedies, remedy)
		return nil
	})
	return columns, remedies, pgerr.Translate(err, "look for the foreign keys of the link tables")
}
