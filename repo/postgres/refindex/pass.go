package refindex

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// passTimeout bounds a statement of a pass. No lease waits for a pass, and one
// fetch of chats of 50 MB takes its time.
const passTimeout = 10 * time.Minute

// IndexAll brings the reference index up to date: first the changes since the last pass,
// then, where a table has never been read or files appeared that older rows may mention,
// whole tables page by page. Each step is a transaction of its own that leaves the index
// true, so that a pass goes on where another was interrupted; several processes take
// turns. An index of the database that was seen to be blind is asked again: as long as it
// is, nothing can be deleted.
func (ix *Index) IndexAll(ctx context.Context, progress repo.Progress) error {
	// A table that changes between a pass and its pages wants another pass;
	// a schema that changes every time is being migrated.
	var err error
	var read int
	for range 5 {
		if err = ix.IndexChanges(ctx); err != nil {
			return err
		}
		var pages int
		pages, err = ix.indexPages(ctx, progress)
		read += pages
		if !errors.Is(err, errTablesChanged) && (err != nil || pages == 0) {
			break
		}
	}
	if err == nil && read > 0 {
		err = ix.analyzeIndex(ctx)
	}
	if err != nil {
		return err
	}
	if err := ix.deleteVanished(ctx); err != nil {
		return err
	}
	return ix.Run(ctx, passTimeout, func(t pgx.Tx) error { return ix.askBlind(ctx, t) })
}

var errTablesChanged = &repo.Error{Kind: repo.Passing, Doing: "read the tables", Err: errors.New("they changed meanwhile")}

// IndexChanges reads only what changed since the last pass.
func (ix *Index) IndexChanges(ctx context.Context) error {
	ix.quiet.begin()
	var h *answerHeader
	err := ix.Run(ctx, passTimeout, func(t pgx.Tx) (err error) {
		h, err = ix.indexChangesInTx(ctx, t)
		return err
	})
	if err == nil && h != nil {
		ix.quiet.found(h, false)
	}
	return err
}

// indexPages reads pages until no table has to be read whole any more.
func (ix *Index) indexPages(ctx context.Context, progress repo.Progress) (n int, err error) {
	known := &knownFiles{}
	for done := false; !done && err == nil; n++ {
		err = ix.Run(ctx, passTimeout, func(t pgx.Tx) (err error) {
			done, err = ix.indexPagesInTx(ctx, t, known, progress)
			return err
		})
	}
	return n - 1, err
}

// analyzeIndex tells the planner how large the index has become. It locks out nothing but
// another ANALYZE.
func (ix *Index) analyzeIndex(ctx context.Context) error {
	return ix.Run(ctx, passTimeout, func(t pgx.Tx) error {
		_, err := t.Exec(ctx, `ANALYZE (SKIP_LOCKED) pruned.reference, pruned.known_file, pruned.relation, pruned.mentioned, pruned.name`)
		return pgerr.Translate(err, "gather statistics of the reference index")
	})
}

// lockStateSQL excludes other passes. It is a pass's first statement and takes no
// snapshot, so that everything after sees what the last one committed; it ends with the
// transaction, which a session lock behind a pooler would not.
const lockStateSQL = `LOCK TABLE pruned.state IN EXCLUSIVE MODE`

// oldestMarkSQL is the lowest mark; PostgreSQL 16 was the first to have a minimum of them.
const oldestMarkSQL = `(SELECT w FROM pruned.relation ORDER BY w LIMIT 1)`

// stateSQL reads the state from which a pass starts.
const stateSQL = `
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_snapshot_xmin(pg_current_snapshot()) = pg_snapshot_xmax(pg_current_snapshot()), generation, passed_at, clock_timestamp(),
       identity = ` + identitySQL + ` AND (` + soundSQL + `), ` + oldestMarkSQL + `::text
  FROM pruned.state`

// passState is pruned.state as a pass finds it.
type passState struct {
	mark       string // every transaction before this one has ended
	alone      bool   // and that is where the snapshot ends
	generation int
	passedAt   *time.Time // nil before the first pass
	now        time.Time
	sound      bool
	oldest     *string // the lowest mark that the last pass left; nil where there is none
}

// lockState excludes other passes and reads the state.
func (ix *Index) lockState(ctx context.Context, t pgx.Tx) (*passState, error) {
	if err := ix.lockFirst(ctx, t, lockStateSQL); err != nil {
		return nil, pgerr.Translate(err, "lock the reference index")
	}
	s := &passState{}
	err := t.QueryRow(ctx, stateSQL, ix.catalogArgs(nil)).
		Scan(&s.mark, &s.alone, &s.generation, &s.passedAt, &s.now, &s.sound, &s.oldest)
	if err == nil {
		_, err = t.Exec(ctx, ShortWaitSQL)
	}
	return s, pgerr.Translate(err, "read the state of the reference index")
}

// indexChangesInTx reads what changed since the last one; see indexChanged.
func (ix *Index) indexChangesInTx(ctx context.Context, t pgx.Tx) (h *answerHeader, err error) {
	s, err := ix.lockState(ctx, t)
	if err != nil {
		return nil, err
	}
	captures, err := readCapture(ctx, t)
	if err != nil {
		return nil, err
	}
	if !s.sound {
		if err := ix.startAnew(ctx, t, s); err != nil {
			return nil, err
		}
	}
	relations, err := ix.readCatalog(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, r := range relations {
		if !r.readable {
			return nil, unreadableError(r)
		}
	}
	if err := ix.refuseLost(ctx, t); err != nil {
		return nil, err
	}
	if err := ix.registerTables(ctx, t, s, relations); err != nil {
		return nil, err
	}
	if err := ix.learnIDs(ctx, t, s); err != nil {
		return nil, err
	}
	if err := captures.keepCapture(ctx, t); err != nil {
		return nil, err
	}
	x, err := newIndexer(ctx, t)
	if err != nil {
		return nil, err
	}
	if h, err = x.indexChanged(ctx, relations, s); err != nil {
		return nil, err
	}
	_, err = t.Exec(ctx, `UPDATE pruned.state SET identity = `+identitySQL+`, passed_at = @now, generation = @generation`,
		ix.catalogArgs(pgx.NamedArgs{"now": s.now, "generation": s.generation}))
	return h, pgerr.Translate(err, "write the state of the reference index")
}

// startAnew empties the index. Not by TRUNCATE: a search with an older snapshot would see
// an empty index that claims to be complete.
func (ix *Index) startAnew(ctx context.Context, t pgx.Tx, s *passState) error {
	for _, table := range []string{"reference", "relation", "known_file", "mentioned"} {
		if _, err := t.Exec(ctx, `DELETE FROM pruned.`+table); err != nil {
			return pgerr.Translate(err, "empty pruned.%s", table)
		}
	}
	if err := ix.OnRebuild(ctx, t); err != nil {
		return err
	}
	s.generation, s.passedAt = 1, nil
	return nil
}

// forgetTablesSQL also deletes the references of a table: after a change of its key they
// may name no rows.
const forgetTablesSQL = `
WITH gone AS (
    DELETE FROM pruned.relation r WHERE NOT EXISTS (
        SELECT FROM unnest(@relids::oid[], @signatures::text[]) u (relid, signature) WHERE u.relid = r.relid AND u.signature = r.signature)
    RETURNING id)
DELETE FROM pruned.reference WHERE source IN (SELECT id FROM gone)`

const registerSQL = `
INSERT INTO pruned.relation (relid, signature, name, w)
SELECT u.relid, u.signature, u.name, @mark::text::xid8
  FROM unnest(@relids::oid[], @signatures::text[], @names::text[]) u (relid, signature, name)
 WHERE NOT EXISTS (SELECT FROM pruned.relation r WHERE r.relid = u.relid)`

// registerTables makes the index's list of tables that of the catalog. A table with
// another signature is a new one, to be read whole.
func (ix *Index) registerTables(ctx context.Context, t pgx.Tx, s *passState, relations []*relation) error {
	oids, signatures, names := []uint32{}, []string{}, []string{}
	for _, r := range relations {
		if r.canIndex() {
			oids, signatures, names = append(oids, r.oid), append(signatures, r.signature), append(names, r.quotedName())
		}
	}
	args := pgx.NamedArgs{"relids": oids, "signatures": signatures, "names": names, "mark": s.mark}
	if _, err := t.Exec(ctx, forgetTablesSQL, args); err != nil {
		return pgerr.Translate(err, "forget tables")
	}
	if _, err := t.Exec(ctx, registerSQL, args); err != nil {
		return pgerr.Translate(err, "register %d tables", len(oids))
	}
	return readIndexState(ctx, t, relations)
}

// forgetSQL also deletes the references of what is forgotten, which gone lists. They are looked
// up for each: they are mostly few, or none, and the planner would sort all that there are.
func forgetSQL(gone string) string {
	return `
WITH gone AS (` + gone + ` RETURNING file_id)
DELETE FROM pruned.reference WHERE ctid = ANY (ARRAY(
    SELECT r.at FROM gone g
     CROSS JOIN LATERAL (SELECT ctid FROM pruned.reference WHERE file_id = g.file_id OFFSET 0) r (at)))`
}

// Of a file and a name that are the same the file is known: it is one to whom more applies.
// Sets are subtracted, and only as many rows are read as there are names.
var (
	forgetNamesSQL = forgetSQL(`
    DELETE FROM pruned.known_file k WHERE k.is_name AND k.file_id IN (
        (SELECT file_id FROM pruned.known_file WHERE is_name EXCEPT SELECT name FROM pruned.name)
         UNION ALL
        SELECT n.name FROM pruned.name n JOIN %s f ON f.id = n.name)`)
	forgetFilesSQL = forgetSQL(`
    DELETE FROM pruned.known_file k WHERE NOT k.is_name AND NOT EXISTS (SELECT FROM %s f WHERE f.id = k.file_id)`)
)

// hasVanishedSQL tells whether more files are known than table file has: then all are
// compared, which takes seconds where there are a million.
const hasVanishedSQL = `
SELECT (SELECT count(*) FROM pruned.known_file WHERE NOT is_name) > (SELECT count(*) FROM %s WHERE octet_length(id) <= 1024)`

// learnSQL adds the ids that no pass has seen; a query gives them as (id, name, is_name). A
// file that rows which were read before may mention waits for a full pass, whose
// generation is $1; so does every id that is no UUID, of which only the known ones are
// looked for, unless no pass can find it either. $2 tells that rows were read before at
// all. Collation C: tokens are lower case as mention.Token makes them, which a Turkish I
// would not be. No store has an object with a longer name. They come in their order, for
// the sake of the indexes.
func learnSQL(ids string) string {
	return `
INSERT INTO pruned.known_file (file_id, token, literal, name, is_name, generation)
SELECT t.id, t.token, ` + LiteralSQL + `,
       CASE WHEN octet_length(t.name) > 1024 OR lower(left(t.name, 36) COLLATE "C") = t.token THEN '' ELSE t.name END, t.is_name,
       CASE WHEN ` + LiteralSQL + ` THEN CASE WHEN` + searchableSQL + ` THEN $1::int ELSE 0 END
            WHEN $2::bool AND` + mentionedSQL + ` THEN $1::int ELSE 0 END
  FROM (SELECT i.id, lower(i.id COLLATE "C") AS token, i.name, i.is_name FROM (` + ids + `) i (id, name, is_name)
         ORDER BY token) t
    ON CONFLICT DO NOTHING`
}

// Not by anti joins: on a table that looks empty these become nested loops over what the
// statement itself inserts. Ids that are too long to be searched (mention.LongestID) never
// join; in a table that was copied by hand an id may be missing, or be there twice.
var (
	learnFilesSQL = learnSQL(`
        SELECT f.id, split_part(coalesce(f.path, ''), '/', -1), false
          FROM (SELECT id FROM %s WHERE octet_length(id) <= 1024 EXCEPT SELECT file_id FROM pruned.known_file) fresh
          JOIN %s f ON f.id = fresh.id`)
	// learnChangedSQL learns from the rows that are not older than the mark $3.
	learnChangedSQL = learnSQL(`
        SELECT t.id, split_part(coalesce(t.path, ''), '/', -1), false
          FROM %s t WHERE octet_length(t.id) <= 1024 AND ` + changedSince("$3::text::xid8::xid"))
	learnNamesSQL = learnSQL(`
        SELECT name, '', true FROM (SELECT name FROM pruned.name EXCEPT SELECT file_id FROM pruned.known_file WHERE is_name) fresh`)
)

// LiteralSQL is the condition that t.token, the token of an id, is no UUID; it takes a
// third of the time of one regular expression.
const LiteralSQL = `(t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32)`

// searchableSQL is the condition that a search finds every mention of a token t that
// is no UUID, as mention.IsLiteral has it.
const searchableSQL = `
                 t.token COLLATE "C" ~ '` + mention.LiteralShape + `' AND t.token COLLATE "C" !~ '` + mention.ValueShape + `'`

// learnIDs makes the list of known ids that of table file and of the names, and raises the
// generation where one waits for a full pass. What vanished goes before names are learned: one
// of them may be the id of a file that was there.
func (ix *Index) learnIDs(ctx context.Context, t pgx.Tx, s *passState) error {
	if _, err := t.Exec(ctx, ix.withFileTable(forgetNamesSQL)); err != nil {
		return pgerr.Translate(err, "forget vanished names")
	}
	args := []any{s.generation, s.passedAt != nil}
	if s.passedAt != nil {
		args[0] = s.generation + 1
	}
	files, err := ix.learnFiles(ctx, t, s, args)
	if err == nil {
		err = ix.forgetVanished(ctx, t)
	}
	if err != nil {
		return err
	}
	names, err := t.Exec(ctx, learnNamesSQL, args...)
	if err != nil || files+names.RowsAffected() == 0 {
		return pgerr.Translate(err, "learn new names")
	}
	var late bool
	err = t.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pruned.known_file WHERE generation > $1::int)`, s.generation).Scan(&late)
	if late {
		s.generation++
	}
	return pgerr.Translate(err, "look for files that appeared late")
}

// learnFiles learns the files whose rows are new. All that were there when the last pass took
// its mark are known: it learned them, or found them known.
func (ix *Index) learnFiles(ctx context.Context, t pgx.Tx, s *passState, args []any) (learned int64, err error) {
	sql := learnFilesSQL
	if s.passedAt != nil && s.oldest != nil {
		sql, args = learnChangedSQL, append(args, *s.oldest)
	}
	done, err := t.Exec(ctx, ix.withFileTable(sql), args...)
	return done.RowsAffected(), pgerr.Translate(err, "learn new files")
}

// forgetVanished forgets files that have no row any more. All that have one are known.
func (ix *Index) forgetVanished(ctx context.Context, t pgx.Tx) error {
	var vanished bool
	err := t.QueryRow(ctx, ix.withFileTable(hasVanishedSQL)).Scan(&vanished)
	if err == nil && vanished {
		_, err = t.Exec(ctx, ix.withFileTable(forgetFilesSQL))
	}
	return pgerr.Translate(err, "forget vanished files")
}
