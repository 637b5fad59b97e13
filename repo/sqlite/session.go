package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strings"
	"time"

	"pruned/repo/sqlite/dbfile"
)

// Pragmas of each connection. Foreign keys stay unchecked as the application has
// them; what a commit says is on the disk. The journal is the application's
// business. What is deleted is overwritten with zeros: people delete in order that
// something is forgotten, and SQLite would only note that its place is free.
var pragmas = []string{"busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(OFF)", "temp_store(MEMORY)",
	"wal_autocheckpoint(0)", "secure_delete(ON)"}

// What one transaction changes fits in the memory of the connection that writes;
// the others need no more than SQLite's 2 MB each.
const writerPragmas = `PRAGMA busy_timeout = 0; PRAGMA cache_size = -4000`

// openPool makes a pool of connections to an existing file.
func openPool(path string) *sql.DB {
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path,
		RawQuery: url.Values{"mode": {"rw"}, "_pragma": pragmas}.Encode()}
	pool, err := sql.Open("sqlite", uri.String())
	if err != nil {
		panic(err) // there is no such driver
	}
	pool.SetConnMaxIdleTime(time.Minute)
	return pool
}

// session is one connection, with the statements that were prepared on it. It
// connects when it is first used, and anew after a failure that closed it; number
// tells the connections apart.
type session struct {
	pool       *sql.DB
	writes     bool // its statements do not wait for locks
	conn       *sql.Conn
	number     int
	statements map[string]*sql.Stmt
	pager      *dbfile.Pager
}

func (s *session) ensureOpen(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		return err
	}
	if s.writes {
		if _, err := conn.ExecContext(ctx, writerPragmas); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
			_ = conn.Close()
			return err
		}
	}
	s.conn, s.number, s.statements, s.pager = conn, s.number+1, map[string]*sql.Stmt{}, nil
	return nil
}

// prepareOnce prepares a statement on this connection, once. SQLite compiles it anew by
// itself where the tables changed.
func (s *session) prepareOnce(ctx context.Context, query string) error {
	if err := s.ensureOpen(ctx); err != nil {
		return err
	}
	if s.statements[query] != nil {
		return nil
	}
	statement, err := s.conn.PrepareContext(ctx, query)
	if err == nil {
		s.statements[query] = statement
	}
	return err
}

// What one transaction sees of the file's pages (sqlite.org/dbpage). A statement costs
// more than a page.
const (
	pageSQL  = `SELECT data FROM sqlite_dbpage WHERE pgno = ?1`
	pagesSQL = `WITH RECURSIVE n (i) AS (VALUES (?1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
		SELECT d.data FROM n CROSS JOIN sqlite_dbpage d WHERE d.pgno = n.i`
)

// resetPager returns the pager of a connection. What an earlier transaction saw is
// forgotten.
func (s *session) resetPager(ctx context.Context) (*dbfile.Pager, error) {
	if err := s.ensureOpen(ctx); err != nil {
		return nil, err
	}
	if s.pager != nil {
		return s.pager, s.pager.Reset()
	}
	for _, query := range []string{pageSQL, pagesSQL} {
		if err := s.prepareOnce(ctx, query); err != nil {
			return nil, err
		}
	}
	pages, err := dbfile.NewPager(readPages(s.statements[pageSQL], s.statements[pagesSQL]))
	if err == nil {
		s.pager = pages
	}
	return pages, err
}

// readPages reads pages by a statement for one, or one for several. They cannot be
// interrupted: that would cost more than reading a page.
func readPages(one, several *sql.Stmt) dbfile.ReadPages {
	return func(first, last uint32, yield func(page []byte)) error {
		statement, args := several, []any{int64(first), int64(last)}
		if first == last {
			statement, args = one, args[:1]
		}
		rows, err := statement.QueryContext(context.Background(), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var data sql.RawBytes // the driver makes a new one for each row
			if err := rows.Scan(&data); err != nil {
				return err
			}
			yield(data)
		}
		return rows.Err()
	}
}

func (s *session) runPrepared(ctx context.Context, query string, args ...any) (int64, error) {
	if err := s.prepareOnce(ctx, query); err != nil {
		return 0, err
	}
	result, err := s.statements[query].ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := s.prepareOnce(ctx, query); err != nil {
		return nil, err
	}
	return s.statements[query].QueryContext(ctx, args...)
}

// discardConn gives the connection up with whatever transaction it is in.
func (s *session) discardConn() {
	s.endConn(driver.ErrBadConn)
}

func (s *session) closeConn() { s.endConn(nil) }

// endConn ends with driver.ErrBadConn a connection that nobody is to use again.
func (s *session) endConn(verdict error) {
	if s.conn == nil {
		return
	}
	for _, statement := range s.statements {
		_ = statement.Close()
	}
	_ = s.conn.Raw(func(any) error { return verdict })
	_ = s.conn.Close()
	s.conn, s.statements, s.pager = nil, nil, nil
}

// querier is what runs queries: a session, or the pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queryEach runs a query and calls fn for every row of it, after scanning into dest.
// What is scanned into sql.RawBytes is valid until fn returns.
func queryEach(ctx context.Context, q querier, query string, args, dest []any, fn func() error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if dest != nil {
			if err := rows.Scan(dest...); err != nil {
				return typeError(rows)
			}
		}
		if err := fn(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// typeError is the failure of a value that has another type than wanted, as any column of
// SQLite's may have. That of the driver quotes the value.
func typeError(rows *sql.Rows) error {
	columns, _ := rows.Columns()
	return fmt.Errorf("a value in one of the columns %s has another type than wanted", strings.Join(columns, ", "))
}

// queryOne runs a query that answers with at most one row, and says whether it did.
func queryOne(ctx context.Context, q querier, query string, args []any, dest ...any) (found bool, err error) {
	err = queryEach(ctx, q, query, args, dest, func() error { found = true; return nil })
	return found, err
}

// querySet is queryColumn for a set of texts.
func querySet(ctx context.Context, q querier, query string, args ...any) (map[string]bool, error) {
	value, set := "", map[string]bool{}
	err := queryEach(ctx, q, query, args, []any{&value}, func() error { set[value] = true; return nil })
	return set, err
}

// queryColumn returns the value of the one column that a query answers with.
func queryColumn[T any](ctx context.Context, q querier, query string, args ...any) (values []T, err error) {
	var value T
	err = queryEach(ctx, q, query, args, []any{&value}, func() error { values = append(values, value); return nil })
	return values, err
}
