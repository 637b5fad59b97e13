package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

// written are the tables that writers write to, each in another way to name its
// rows: a key, a key of two columns, partitions, no key, and a parent without
// which a row is dead.
var written = map[string]struct{ key, text, fixed string }{
	"note":    {"id", "title", "user_id"},
	"folder":  {"id", "name", "user_id, is_expanded, created_at, updated_at"},
	"split":   {"id", "v", ""},
	"keyless": {"id", "v", ""},
	"message": {"id", "content", "channel_id"},
}

const writtenTables = `
CREATE SCHEMA elsewhere;
CREATE TABLE keyless (id text, v text);
CREATE TABLE split (id text PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE split_a PARTITION OF split FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE elsewhere.split_b PARTITION OF split FOR VALUES WITH (modulus 2, remainder 1)`

// said is what the rows of one writer say: by table and key, the files.
type said map[[2]string][]string

// writer is an application that mentions files of its own, and knows which.
type writer struct {
	name   string
	conn   *pgx.Conn
	random *rand.Rand
	files  []string
	passes func() // returns when another pass has ended

	rows    said
	channel bool // whether the parent of its messages is there
	serial  int

	mu    sync.Mutex
	epoch map[string]int  // counts the transactions that may have touched a file
	sure  map[string]bool // mentioned by a committed row
}

// certain are the files that are mentioned by a row that is committed, each with
// a number that stays the same until that may change.
func (w *writer) certain() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	files := map[string]int{}
	for file := range w.sure {
		files[file] = w.epoch[file]
	}
	return files
}

// doubt says that from now on nothing is certain.
func (w *writer) doubt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, file := range w.files {
		w.epoch[file]++
	}
	clear(w.sure)
}

func (w *writer) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for row, files := range w.rows {
		if row[0] == "message" && !w.channel {
			continue
		}
		for _, file := range files {
			w.sure[file] = true
		}
	}
}

// transact runs one random transaction.
func (w *writer) transact(ctx context.Context) error {
	rows, channel := maps.Clone(w.rows), w.channel
	w.doubt()
	if err := w.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	for range 1 + w.random.IntN(4) {
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	end := `COMMIT`
	if w.random.IntN(5) == 0 {
		end, w.rows, w.channel = `ROLLBACK`, rows, channel
	}
	if err := w.exec(ctx, end); err != nil {
		return err
	}
	w.settle()
	return nil
}

// step is a change, often in a savepoint, or a long pause.
func (w *writer) step(ctx context.Context) error {
	switch w.random.IntN(6) {
	case 0:
		w.passes()
		return nil
	case 1, 2:
		return w.savepoint(ctx)
	}
	return w.change(ctx)
}

func (w *writer) savepoint(ctx context.Context) error {
	w.serial++
	name := fmt.Sprintf("s%d", w.serial)
	rows, channel := maps.Clone(w.rows), w.channel
	if err := w.exec(ctx, `SAVEPOINT `+name); err != nil {
		return err
	}
	for range 1 + w.random.IntN(3) {
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	if w.random.IntN(3) == 0 {
		w.rows, w.channel = rows, channel
		return w.exec(ctx, `ROLLBACK TO `+name)
	}
	return w.exec(ctx, `RELEASE `+name)
}

func (w *writer) change(ctx context.Context) error {
	if w.random.IntN(8) == 0 {
		w.channel = !w.channel
		if w.channel {
			return w.exec(ctx, `INSERT INTO channel (id) VALUES ($1)`, w.name)
		}
		return w.exec(ctx, `DELETE FROM channel WHERE id = $1`, w.name)
	}
	if len(w.rows) < 4 || w.random.IntN(3) == 0 {
		return w.insert(ctx)
	}
	keys := slices.SortedFunc(maps.Keys(w.rows), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	return w.modify(ctx, keys[w.random.IntN(len(keys))])
}

func (w *writer) insert(ctx context.Context) error {
	w.serial++
	tables := slices.Sorted(maps.Keys(written))
	row := [2]string{tables[w.random.IntN(len(tables))], fmt.Sprintf("%s-%d", w.name, w.serial)}
	files, text := w.mentions()
	w.rows[row] = files
	t := written[row[0]]
	columns, values := t.key+", "+t.text, "$1, $2"
	switch row[0] {
	case "note":
		columns, values = columns+", "+t.fixed, values+", 'u'"
	case "folder":
		columns, values = columns+", "+t.fixed, values+", 'u', false, 1, 1"
	case "message":
		columns, values = columns+", "+t.fixed, values+", '"+w.name+"'"
	}
	return w.exec(ctx, fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, row[0], columns, values), row[1], text)
}

// modify writes a row anew, under another key, or deletes it.
func (w *writer) modify(ctx context.Context, row [2]string) error {
	t := written[row[0]]
	switch w.random.IntN(4) {
	case 0:
		delete(w.rows, row)
		return w.exec(ctx, fmt.Sprintf(`DELETE FROM %s WHERE %s = $1`, row[0], t.key), row[1])
	case 1:
		w.serial++
		moved := [2]string{row[0], fmt.Sprintf("%s-%d", w.name, w.serial)}
		w.rows[moved] = w.rows[row]
		delete(w.rows, row)
		return w.exec(ctx, fmt.Sprintf(`UPDATE %s SET %s = $2 WHERE %s = $1`, row[0], t.key, t.key), row[1], moved[1])
	}
	files, text := w.mentions()
	w.rows[row] = files
	return w.exec(ctx, fmt.Sprintf(`UPDATE %s SET %s = $2 WHERE %s = $1`, row[0], t.text, t.key), row[1], text)
}

// mentions is a text about none, one or two of the files.
func (w *writer) mentions() (files []string, text string) {
	for range w.random.IntN(3) {
		files = append(files, w.files[w.random.IntN(len(w.files))])
	}
	return files, "see " + strings.Join(files, "+")
}

func (w *writer) exec(ctx context.Context, sql string, args ...any) error {
	if _, err := w.conn.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func newWriter(d *testenv.Database, conn *pgx.Conn, name string, random *rand.Rand, files []string, passes func()) *writer {
	return &writer{
		name: name, conn: conn, random: random, files: files, passes: passes,
		rows: said{}, epoch: map[string]int{}, sure: map[string]bool{},
	}
}
