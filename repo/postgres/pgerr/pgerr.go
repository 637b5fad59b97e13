// Package pgerr says what a failure of PostgreSQL means.
//
// Its central idea is the border: an error of the driver is translated once, where
// the driver ends, into one of the four kinds of package repo. Nothing above knows
// SQLSTATEs, and no translated error quotes a row.
package pgerr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
)

// kinds translates SQLSTATEs; five characters go before the class of two. Codes
// are those of the PostgreSQL manual, appendix A.
var kinds = map[string]repo.Kind{
	"08":    repo.Passing,     // connection
	"40":    repo.Passing,     // serialization, deadlock
	"55P03": repo.Passing,     // lock_timeout, NOWAIT
	"55006": repo.Passing,     // object in use
	"57":    repo.Passing,     // cancelled, statement_timeout, shutting down, starting up
	"26000": repo.Passing,     // a pooler lost a prepared statement
	"42P05": repo.Passing,     // or has it already
	"25P03": repo.Passing,     // idle in transaction too long
	"25P04": repo.Passing,     // transaction_timeout
	"53200": repo.Passing,     // out of memory: a smaller batch may do
	"08001": repo.Environment, // a foreign table's server is away; what is wrong with our own connection no server says
	"08P01": repo.Environment, // protocol violation: how a pooler refuses
	"53":    repo.Environment, // disk full, too many connections
	"25":    repo.Environment, // read-only
	"28":    repo.Environment, // password
	"3D":    repo.Environment, // no such database
	"3F":    repo.Environment, // no such schema
	"42":    repo.Environment, // privilege, row security, missing table or column
	"0A":    repo.Environment, // not supported: a standby says so to READ WRITE
	"55":    repo.Environment, // prerequisite state
	"58":    repo.Environment, // I/O
	"F0":    repo.Environment, // configuration file
	"HV":    repo.Environment, // a foreign table that cannot be read
	"39":    repo.Environment, // pgcrypto with a wrong key
	"XX001": repo.Environment, // corrupted: nothing that it says can be trusted
	"XX002": repo.Environment,
}

// Translate turns an error of the driver into a *repo.Error: what was being
// done, and what it means. Whatever is not the server's own word came from the
// connection (the network, a deadline, a server that went away), and passes, but for a
// connection that cannot be made.
// Errors that are translated already pass through.
func Translate(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	var done *repo.Error
	if errors.As(err, &done) {
		return err
	}
	translated := &repo.Error{Kind: repo.Passing, Doing: fmt.Sprintf(doing, args...), Err: err}
	var pg *pgconn.PgError
	var parse *pgconn.ParseConfigError
	var connect *pgconn.ConnectError
	var scan pgx.ScanArgError
	switch {
	case errors.As(err, &scan):
		translated.Kind = repo.Permanent
		translated.Err = fmt.Errorf("column %d (%s) has a value of another type than wanted", scan.ColumnIndex+1, scan.FieldName)
	case errors.As(err, &pg):
		translated.SQLState = pg.Code
		translated.Kind = kindOf(pg.Code)
		translated.Err = describeFailure(pg)
	case errors.As(err, &parse):
		translated.Kind = repo.Environment
	case errors.Is(err, pgx.ErrTxCommitRollback):
		translated.Kind = repo.Permanent
	}
	if errors.As(err, &connect) && translated.Kind == repo.Passing {
		// No event is to be taken from those who can connect, to fail here.
		translated.Kind = repo.Environment
	}
	return translated
}

func kindOf(code string) repo.Kind {
	for _, prefix := range []string{code, code[:min(2, len(code))]} {
		if kind, ok := kinds[prefix]; ok {
			return kind
		}
	}
	return repo.Permanent
}

// describedError says where a constraint or a trigger stood in the way.
type describedError struct {
	*pgconn.PgError
	text string
}

func (d *describedError) Error() string { return d.text }
func (d *describedError) Unwrap() error { return d.PgError }

// quotedText is what a message about data quotes of it. Data may hold quotes too.
var quotedText = regexp.MustCompile(`(?s)".*"`)

// functionContext is the only context of an error that quotes no data: where in a function
// or a trigger it came from. Others quote rows (of JSON its first line), parameters and
// statements.
var functionContext = regexp.MustCompile(`^PL/pgSQL function [^"']* line \d+ at [\w ]+$`)

// describeFailure adds to the server's message what helps an operator: the constraint,
// and where in a trigger it came from. Never the detail, which quotes rows, nor what a
// message of class 22, data exception, quotes, nor what a function raises: see IsRaised.
func describeFailure(pg *pgconn.PgError) error {
	message := pg.Message
	switch {
	case IsRaised(pg):
		message = repo.Raised
	case strings.HasPrefix(pg.Code, "22"):
		message = quotedText.ReplaceAllString(message, `"..."`)
	}
	text := fmt.Sprintf("%s (SQLSTATE %s)", message, pg.Code)
	if pg.Code == "42501" {
		text += "; nothing is deleted until that is granted: pruned doctor lists the statements (row-level security takes ALTER ROLE ... BYPASSRLS)"
	}
	if pg.Code == "08001" {
		text += "; nothing is deleted while a foreign table cannot be searched (PRUNED_IGNORE takes it out)"
	}
	if pg.ConstraintName != "" {
		text += ", constraint " + pg.ConstraintName
	}
	if where, _, _ := strings.Cut(pg.Where, "\n"); functionContext.MatchString(where) {
		text += ", at " + where
	}
	return &describedError{pg, text}
}

// IsRaised says whether a function's author worded the message: PL/pgSQL's RAISE and
// ASSERT, whatever code they give, and what other languages raise.
func IsRaised(pg *pgconn.PgError) bool {
	return strings.HasPrefix(pg.Routine, "exec_stmt_") || strings.HasPrefix(pg.Code, "P0") || strings.HasPrefix(pg.Code, "38")
}
