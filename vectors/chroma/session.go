package chroma

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite" // also the driver
	sqlite3 "modernc.org/sqlite/lib"
)

const databaseFile = "chroma.sqlite3"

// session is one connection to the file that is known to be as we know it.
type session struct {
	dir      *os.Root
	conn     *sql.Conn
	database string // id of ours among Chroma's databases
	pace     pace
	// hasArrays: it is of chromadb 1.5 or later, which keeps lists in metadata.
	hasArrays bool
}

// withSession runs fn on the opened files, if there are any. Everything that goes
// wrong is the store's own fault, and none of a file.
func (e *Embedded) withSession(ctx context.Context, doing string, fn func(*session) error) error {
	err := e.openSession(ctx, fn)
	var answer *sqlite.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // SQLite's answer to that is only that it was interrupted
		return fmt.Errorf("%s: %w: %w", doing, ctx.Err(), err)
	case errors.As(err, &answer) && isLocked(answer):
		return unusable("%s: %s is locked by another process for more than %s: %w", doing, databaseFile, e.patience, err)
	default:
		return unusable("%s: %w", doing, err)
	}
}

func isLocked(err *sqlite.Error) bool {
	code := err.Code() & 0xff
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

func (e *Embedded) openSession(ctx context.Context, fn func(*session) error) (err error) {
	dir, err := os.OpenRoot(e.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if info, err := dir.Stat(databaseFile); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil // not made yet
	}
	path, err := filepath.Abs(filepath.Join(e.options.Dir, databaseFile))
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", connectionURI(path, e.patience))
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	s := &session{dir: dir, conn: conn, pace: pace{rows: fewRows}}
	if err := s.recognizeSchema(ctx, e.options); err != nil {
		return err
	}
	return fn(s)
}

// connectionURI opens a file that is there, and leaves its journal mode alone. What is
// deleted is overwritten with zeros: SQLite would only note that its place is free.
func connectionURI(path string, patience time.Duration) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"mode":    {"rw"},
		"_txlock": {"immediate"},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "synchronous(FULL)", "secure_delete(ON)", "cache_size(-4000)"},
	}.Encode()}
	return u.String()
}

// checkFolder says whether a journal can be written beside the file.
func (s *session) checkFolder() error {
	name := fmt.Sprintf(".pruned-%d", time.Now().UnixNano())
	probe, err := s.dir.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), s.dir.Remove(name))
}

// transaction holds the write lock of the file.
type transaction struct {
	ctx context.Context
	tx  *sql.Tx
}

func (t *transaction) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, query, args...)
	return err
}

// readNumber is the answer to a question for one.
func (t *transaction) readNumber(query string, args ...any) (n int64, err error) {
	return n, t.tx.QueryRowContext(t.ctx, query, args...).Scan(&n)
}

// inTx runs fn in a transaction of its own, and returns how long that held the
// lock.
func (s *session) inTx(ctx context.Context, fn func(*transaction) error) (time.Duration, error) {
	tx, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := fn(&transaction{ctx, tx}); err != nil {
		_ = tx.Rollback() // the connection is closed next, which does it as well
		return 0, err
	}
	committing := time.Now()
	err = tx.Commit()
	s.pace.commit = time.Since(committing)
	return time.Since(start), err
}

var errUnlike = errors.New("a value has another type than Chroma's own")

// queryEach calls each with a scanner for each row. The statement has ended when it
// returns, and with it the lock that keeps the application from committing: ask
// for little.
func (s *session) queryEach(ctx context.Context, each func(scan func(...any) error) error, query string, args ...any) (err error) {
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		// What the driver says of a value of another type quotes it.
		scan := func(dest ...any) error {
			if rows.Scan(dest...) != nil {
				return errUnlike
			}
			return nil
		}
		if err := each(scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// queryList reads rows of a shape: fields are the parts of a value that the columns fill.
func queryList[T any](ctx context.Context, s *session, fields func(*T) []any, query string, args ...any) (list []T, err error) {
	err = s.queryEach(ctx, func(scan func(...any) error) error {
		var value T
		err := scan(fields(&value)...)
		list = append(list, value)
		return err
	}, query, args...)
	return list, err
}

func queryColumn[T any](ctx context.Context, s *session, query string, args ...any) ([]T, error) {
	return queryList(ctx, s, func(value *T) []any { return []any{value} }, query, args...)
}

// jsonArray is a list as one parameter, for json_each.
func jsonArray[T string | int64](list []T) string {
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings and numbers always can be
	}
	return string(text)
}
