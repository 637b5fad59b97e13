package refindex

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// A row that nobody can open any more counts, or not, by Config.DepartedIgnore. Who can
// open it is asked in the statement that asks whether it lives, so that the index is the
// same for both. But a row lives again without being written: its user comes back, somebody
// is given access. So a recheck asks about all that mentions what was deleted, and not only
// about rows that changed; and a transaction that is open and may write a grant keeps files
// like one that may write a mention.

// openedBySQL counts the columns that tell who can open a row, and reads the oid of the
// table of grants. None may be of another type, after a migration by hand: nothing could be
// compared. An UNLOGGED table is empty after a crash.
const openedBySQL = `
SELECT coalesce(max(c.oid) FILTER (WHERE c.relname = 'access_grant'), 0), count(*),
       coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')), false),
       EXISTS (SELECT FROM unnest(@owned::text[]) o JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', @schema::text, o))
                WHERE a.attname = @older::text AND NOT a.attisdropped)
  FROM unnest(@columns::text[]) k (name)
  JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', @schema::text, split_part(k.name, '.', 1))) AND c.relkind = 'r' AND c.relpersistence = 'p'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = split_part(k.name, '.', 2) AND NOT a.attisdropped
   AND (a.atttypid IN ('text'::regtype, 'varchar'::regtype) OR a.attname IN ('meta', 'data'))`

// readOpened fills in under which condition somebody can open the rows of the relations.
// Where that cannot be told there is none, and every row counts; where our role may not read
// the grants, although they count, every search fails and says so.
func (ix *Index) readOpened(ctx context.Context, t pgx.Tx, relations []*relation) error {
	var grants uint32
	var there int
	var readable, older bool
	args := pgx.NamedArgs{"schema": ix.Schema, "columns": openwebui.OpenedByColumns, "owned": openwebui.Owned, "older": openwebui.OlderGrants}
	if err := t.QueryRow(ctx, openedBySQL, ix.ExecMode(), args).Scan(&grants, &there, &readable, &older); err != nil {
		return pgerr.Translate(err, "look for the tables that tell who can open what")
	}
	if there < len(openwebui.OpenedByColumns) || older || !readable && !ix.DepartedIgnore {
		return nil
	}
	dialect := openwebui.Dialect{Table: ix.quotedTable, Contains: func(column, id string) string {
		return "strpos(" + column + "::text, " + id + ") > 0"
	}}
	for _, r := range relations {
		if r.schema != ix.Schema {
			continue
		}
		if r.opened = dialect.Opened(r.name); r.opened != "" && ix.DepartedIgnore {
			r.needsOpener, r.grants = true, grants
		}
	}
	return nil
}

// openedSQL is the part of aliveSQL about those who can open a row, where that counts.
func (r *relation) openedSQL() string {
	if !r.needsOpener {
		return ""
	}
	return " AND " + r.opened
}

// revivedSQL finds, for a recheck, all that mentions one of the files $9 in rows that may
// live again without having changed: they did not live when the files were looked for.
// Links that went with their file are seen by no statement of ours any more, so that those
// of the search are compared, of the files $10 to the knowledge bases $11.
func revivedSQL(relations []*relation) string {
	var b strings.Builder
	for i, r := range relations {
		if !r.needsOpener {
			continue
		}
		b.WriteString(r.textBranch(i, r.changedSinceIndex()))
		if r.canIndex() {
			fmt.Fprintf(&b, "\nUNION ALL SELECT 1, r.source, r.row_id, 0, r.file_id FROM pruned.reference r JOIN ONLY %s t ON %s WHERE r.source = %d AND r.file_id = ANY ($9::text[])%s AND NOT %s%s",
				r.quotedName(), r.keyIs("r.row_id"), r.id, unlessQuiet, r.isChanged(), r.aliveSQL())
		}
		if r.linksOwned() {
			fmt.Fprintf(&b, "\nUNION ALL SELECT 5, %d, NULL, 0, t.file_id FROM unnest($10::text[], $11::text[]) t (file_id, knowledge_id) WHERE true%s%s", i, unlessQuiet, r.openedSQL())
		}
	}
	return b.String()
}

// linksOwned holds for the table that links files to what has an owner.
func (r *relation) linksOwned() bool { return r.needsOpener && slices.Contains(linkTables, r.name) }

// findDeadLinks fills in the links of the files that nothing mentions: all were to what nobody
// can open when the look was made. Who could open it is not asked again: what somebody can
// open by now the recheck has to find, and these links will be gone.
func (p *Plan) findDeadLinks(ctx context.Context, t pgx.Tx, look *repo.References, ids []string) error {
	look.DeadLinks = nil
	free := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, is := look.Referenced[id]; return is })
	for _, r := range p.relations {
		if !r.linksOwned() {
			continue
		}
		rows, _ := t.Query(ctx, "SELECT t.file_id, t.knowledge_id FROM "+r.quotedName()+" t WHERE t.file_id = ANY ($1::text[])"+r.hasParentsSQL(), free)
		var link [2]string
		_, err := pgx.ForEachRow(rows, []any{&link[0], &link[1]}, func() error {
			look.DeadLinks = append(look.DeadLinks, link)
			return nil
		})
		if err != nil {
			return pgerr.Translate(err, "look for links in table %s", r)
		}
	}
	return nil
}

// splitLinks are the two sides of the links of the files that were deleted.
func splitLinks(links [][2]string, deleted []string) (files, owners []string) {
	for _, l := range links {
		if slices.Contains(deleted, l[0]) {
			files, owners = append(files, l[0]), append(owners, l[1])
		}
	}
	return files, owners
}

// revives says whether a recheck has such branches.
func (p *Plan) revives() bool { return p.grantsOID() > 0 }

// grantsTable is its name, quoted.
func (r *relation) grantsTable() string {
	return pgx.Identifier{r.schema, "access_grant"}.Sanitize()
}

// grantsOID is the table of grants, where it counts.
func (p *Plan) grantsOID() uint32 {
	for _, r := range p.relations {
		if r.needsOpener {
			return r.grants
		}
	}
	return 0
}

// markDeparted marks the mentions in rows that nobody can open any more.
func (p *Plan) markDeparted(ctx context.Context, t pgx.Tx, found []repo.Mention) error {
	for _, r := range p.relations {
		rows := rowsOf(r, found)
		if r.opened == "" || len(r.key) == 0 || len(rows) == 0 {
			continue
		}
		gone, err := ReadColumn[string](ctx, t, "SELECT u.row FROM unnest($1::text[]) u (row) JOIN ONLY "+r.quotedName()+" t ON "+r.keyIs("u.row")+
			" WHERE NOT "+r.opened, rows)
		if err != nil {
			return pgerr.Translate(err, "look who can open the rows of table %s", r)
		}
		for i := range found {
			found[i].Departed = found[i].Departed || found[i].Table == r.label && slices.Contains(gone, found[i].Row)
		}
	}
	return nil
}
