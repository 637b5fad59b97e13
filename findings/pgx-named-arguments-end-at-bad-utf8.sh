#!/usr/bin/env bash
# pgx 5.12.0 (Go module github.com/jackc/pgx/v5).
#
# pgx.NamedArgs turns @name into $1. Its lexer takes the first byte that is no UTF-8
# for the end of the statement: the rest is cut off, without an error, and the arguments
# with it. A session whose client_encoding is LATIN1 (that of a LATIN1 database, so that
# nothing is converted) has identifiers with such bytes, and PostgreSQL would read them.
# pgx.StrictNamedArgs cuts as well: it notices only an argument that is left over.
# Statements with numbered arguments are sent as they are.
#
# Seen:
#   UTF-8:             "SELECT v FROM \"café\" WHERE id = $1" [7] <nil>
#   LATIN1:            "SELECT v FROM \"caf\xe9" [] <nil>
#   LATIN1, strict:    "" [] argument id of StrictNamedArgs not found in sql query
#   LATIN1, no argument behind it, strict: "SELECT $1, v FROM \"caf\xe9" [7] <nil>
#
# Whoever puts identifiers into a statement numbers its arguments before that.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'MODULE'
module finding

go 1.25

require github.com/jackc/pgx/v5 v5.12.0
MODULE

cat > main.go <<'PROGRAM'
package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

func show(label, sql string, args pgx.QueryRewriter) {
	text, values, err := args.RewriteQuery(context.Background(), nil, sql, nil)
	fmt.Printf("%s: %q %v %v\n", label, text, values, err)
}

func main() {
	show("UTF-8", "SELECT v FROM \"caf\u00e9\" WHERE id = @id", pgx.NamedArgs{"id": 7})
	show("LATIN1", "SELECT v FROM \"caf\xe9\" WHERE id = @id", pgx.NamedArgs{"id": 7})
	show("LATIN1, strict", "SELECT v FROM \"caf\xe9\" WHERE id = @id", pgx.StrictNamedArgs{"id": 7})
	show("LATIN1, no argument behind it, strict", "SELECT @id, v FROM \"caf\xe9\" WHERE true", pgx.StrictNamedArgs{"id": 7})
}
PROGRAM

go mod tidy >/dev/null 2>&1
go run . | tee seen
diff - seen <<'EXPECTED'
UTF-8: "SELECT v FROM \"café\" WHERE id = $1" [7] <nil>
LATIN1: "SELECT v FROM \"caf\xe9" [] <nil>
LATIN1, strict: "" [] argument id of StrictNamedArgs not found in sql query
LATIN1, no argument behind it, strict: "SELECT $1, v FROM \"caf\xe9" [7] <nil>
EXPECTED
