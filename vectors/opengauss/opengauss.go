// Package opengauss is the vector store openGauss: a chunktable.Store in its words.
//
// Its central idea is that openGauss began as PostgreSQL 9.2: it is asked in words that both
// know. No openGauss was to be had: it was tested on PostgreSQL.
package opengauss

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"pruned/vectors/chunktable"
)

// Options are the application's settings for this store.
type Options struct {
	URL string // OPENGAUSS_DB_URL, as PostgreSQL's own tools read it
}

const connectTimeout = 10 * time.Second

// New makes a store. It opens no session.
func New(_ context.Context, options Options) (*chunktable.Store, error) {
	config, err := pgx.ParseConfig(options.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address of openGauss: %w", err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // keeps nothing in a session, which a pooler may change
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	name := fmt.Sprintf("opengauss at %s, database %s", net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), config.Database)
	return chunktable.New(stdlib.OpenDB(*config), dialectOf(name)), nil
}

// States of SQL that both have.
const (
	stateNoTable     = "42P01"
	stateNotNow      = "55P03"
	stateDeadlock    = "40P01"
	stateSerialize   = "40001"
	stateNoPrivilege = "42501"
)

func dialectOf(name string) chunktable.Dialect {
	return chunktable.Dialect{
		Name:        name,
		Bytes:       func(column string) string { return column },
		Parameter:   func(n int) string { return "$" + strconv.Itoa(n) },
		Member:      func(key string) string { return "vmetadata->>'" + key + "'" },
		Has:         func(key string) string { return "vmetadata->'" + key + "' IS NOT NULL" },
		CanHoldID:   canHold,
		CanHold:     canHold,
		IsMissing:   is(stateNoTable),
		IsBusy:      is(stateNotNow, stateDeadlock, stateSerialize),
		IsForbidden: is(stateNoPrivilege),
	}
}

func canHold(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func is(states ...string) func(error) bool {
	return func(err error) bool {
		var said *pgconn.PgError
		return errors.As(err, &said) && slices.Contains(states, said.Code)
	}
}
