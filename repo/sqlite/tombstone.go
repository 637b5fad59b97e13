package sqlite

import (
	"context"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// Entomb writes tombstones. Their numbers are never given twice: whoever carries
// one out does so without a lock, and closes it by its number.
func (db *DB) Entomb(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) error {
	tx := sqliteTx(t)
	if err := tx.begin(ctx); err != nil {
		return err
	}
	tx.wrote = true
	type stone struct {
		Seq  int64
		Kind string
		File string
		Name string
		Due  int64
		Wait int64
	}
	var last int64
	if _, err := one(ctx, db.writer, `UPDATE pruned_state SET tombstones = tombstones + ?1 RETURNING tombstones`, []any{len(tombstones)}, &last); err != nil {
		return translate(err, "number %d tombstones", len(tombstones))
	}
	now := time.Now()
	stones := make([]stone, len(tombstones))
	for i, s := range tombstones {
		stones[i] = stone{last - int64(len(tombstones)-i-1), s.Kind, s.FileID, s.Name, micros(now.Add(s.Delay)), s.Delay.Microseconds()}
	}
	_, err := tx.write(ctx, `INSERT INTO pruned_tombstone (seq, identity, kind, file_id, name, due_at, delay, made_at, beside)
		SELECT value ->> '$.Seq', ?2, value ->> '$.Kind', value ->> '$.File', value ->> '$.Name', value ->> '$.Due', value ->> '$.Wait', ?3,
		       (SELECT json_group_array(id) FROM (SELECT CAST(id AS TEXT) AS id FROM file WHERE id IS NOT NULL ORDER BY id LIMIT 10)) FROM json_each(?1)`,
		list(stones), db.identity.Key, micros(now))
	return translate(err, "write %d tombstones", len(tombstones))
}

// Due lists up to most tombstones of a kind that are due. Those of another
// database, that came with a copy of this table, are never taken. It holds no lock:
// the application would wait for as long as they take. Two processes may carry out
// the same, which harms nothing.
func (db *DB) Due(ctx context.Context, t repo.Tx, kind string, most int) (due []repo.Tombstone, err error) {
	now := time.Now()
	if err := db.mendTombstones(ctx, sqliteTx(t), now); err != nil {
		return nil, err
	}
	s := repo.Tombstone{}
	var made int64
	err = each(ctx, sqliteTx(t).sees(), `SELECT seq, kind, file_id, name, attempts, coalesce(made_at, due_at) FROM pruned_tombstone
		WHERE due_at <= ?1 AND kind = ?2 AND identity = ?3 ORDER BY due_at, seq LIMIT ?4`,
		[]any{micros(now), kind, db.identity.Key, most}, []any{&s.Seq, &s.Kind, &s.FileID, &s.Name, &s.Attempts, &made}, func() error {
			s.Age = now.Sub(fromMicros(made))
			due = append(due, s)
			return nil
		})
	return due, translate(err, "take the tombstones that are due")
}

// Entombed lists the names of bytes that wait for their removal, by file id.
func (db *DB) Entombed(ctx context.Context, t repo.Tx, ids []string) (map[string][]string, error) {
	names := map[string][]string{}
	var id, name string
	err := each(ctx, sqliteTx(t).sees(), `SELECT file_id, name FROM pruned_tombstone
		WHERE file_id IN (SELECT value FROM json_each(?1)) AND kind = 'bytes' AND identity = ?2`,
		[]any{list(ids), db.identity.Key}, []any{&id, &name}, func() error {
			names[id] = append(names[id], name)
			return nil
		})
	return names, translate(err, "look for tombstones of %d files", len(ids))
}

// Living returns those of the tombstones that must not be carried out, by their
// number, since a row has the id or shares the bytes. Without a lock: rows are
// written by an application that does not wait for us either way.
func (db *DB) Living(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) (map[int64]bool, error) {
	var ids []string
	named := false
	for _, s := range tombstones {
		ids = append(ids, s.FileID)
		if owner := ownerOf(s.Name); owner != "" && owner != s.FileID {
			ids = append(ids, owner, s.Name[:len(owner)])
		}
		named = named || s.Name != ""
	}
	if err := db.present(); err != nil {
		return nil, err
	}
	q := sqliteTx(t).sees()
	if err := db.rowsMissing(ctx, q); err != nil {
		return nil, err
	}
	there, err := column[string](ctx, q, `SELECT id FROM file WHERE id IN (SELECT value FROM json_each(?1))`, list(ids))
	if err != nil {
		return nil, translate(err, "look whether %d tombstones' files exist again", len(tombstones))
	}
	exists := map[string]bool{}
	for _, id := range there {
		exists[id] = true
	}
	var used map[string]bool
	if named {
		if used, err = db.shared.of(ctx, q); err != nil {
			return nil, err
		}
	}
	living := map[int64]bool{}
	for _, s := range tombstones {
		owner := ownerOf(s.Name)
		if exists[s.FileID] || s.Name != "" && used[s.Name] || owner != "" && (exists[owner] || exists[s.Name[:len(owner)]]) {
			living[s.Seq] = true
		}
	}
	return living, nil
}

// paths calls yield with each file's id and the base name of its path. The path
// lies behind the extracted text in its row: this reads the whole table.
func paths(ctx context.Context, q querier, yield func(id, name string)) error {
	var id, path string
	err := each(ctx, q, `SELECT CAST(id AS TEXT), CAST(path AS TEXT) FROM file WHERE id IS NOT NULL AND path <> ''`, nil, []any{&id, &path}, func() error {
		if name := openwebui.BaseName(path); name != "" {
			yield(id, name)
		}
		return nil
	})
	return translate(err, "read the paths of table file")
}

// Settle removes tombstones that were carried out or dropped, makes others due again,
// and adds to the ledger what happened to bytes or vectors after the commit.
func (db *DB) Settle(ctx context.Context, t repo.Tx, s repo.Settlement) error {
	tx, now := sqliteTx(t), time.Now()
	for _, n := range s.Notes {
		if _, err := tx.write(ctx, `UPDATE pruned_ledger SET note = ?2
			WHERE seq = (SELECT max(seq) FROM pruned_ledger WHERE file_id = ?1)`, n.FileID, n.Text); err != nil {
			return translate(err, "annotate the ledger of file %s", n.FileID)
		}
	}
	for _, r := range s.Retry {
		if _, err := tx.write(ctx, `UPDATE pruned_tombstone SET attempts = attempts + 1, error = ?2, due_at = ?3, delay = ?4 WHERE seq = ?1`,
			r.Seq, r.Reason, micros(now.Add(r.Delay)), r.Delay.Microseconds()); err != nil {
			return translate(err, "postpone a tombstone")
		}
	}
	if len(s.Done) == 0 {
		return nil
	}
	_, err := tx.write(ctx, `DELETE FROM pruned_tombstone WHERE seq IN (SELECT value FROM json_each(?1))`, list(s.Done))
	return translate(err, "close %d tombstones", len(s.Done))
}

// Backlog tells of this database's tombstones of some kinds.
func (db *DB) Backlog(ctx context.Context, kinds ...string) (b repo.Backlog, err error) {
	var due *int64
	_, err = one(ctx, db.pool, `WITH waiting AS (SELECT * FROM pruned_tombstone WHERE identity = ?2 AND kind IN (SELECT value FROM json_each(?3)))
		SELECT count(*), min(`+dueAtSQL+`), count(*) FILTER (WHERE attempts > 0),
		       coalesce((SELECT error FROM waiting WHERE attempts > 0 ORDER BY attempts DESC, seq LIMIT 1), '') FROM waiting`,
		[]any{micros(time.Now()), db.identity.Key, list(kinds)}, &b.Count, &due, &b.Retried, &b.Reason)
	if due != nil {
		b.DueIn = time.Until(fromMicros(*due))
	}
	return b, translate(err, "look for tombstones")
}
