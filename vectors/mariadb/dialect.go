package mariadb

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"pruned/vectors/chunktable"
)

// Codes of MariaDB.
const (
	codeNoTable       = 1146
	codeLockWait      = 1205
	codeDeadlock      = 1213
	codeDeniedToTable = 1142
	codeDeniedToUser  = 1044
)

func dialectOf(name string) chunktable.Dialect {
	member := func(key string) string { return "JSON_UNQUOTE(JSON_EXTRACT(vmetadata, '$." + key + "'))" }
	return chunktable.Dialect{
		Name:        name,
		Bytes:       func(column string) string { return "CAST(" + column + " AS BINARY)" },
		Parameter:   func(int) string { return "?" },
		Member:      member,
		Has:         func(key string) string { return "JSON_EXISTS(vmetadata, '$." + key + "')" },
		CanHoldID:   isASCII,
		CanHold:     utf8.ValidString,
		IsMissing:   is(codeNoTable),
		IsBusy:      is(codeLockWait, codeDeadlock),
		IsForbidden: is(codeDeniedToTable, codeDeniedToUser),
		Lock:        "LOCK TABLES document_chunk WRITE NOWAIT",
		Unlock:      "UNLOCK TABLES",
	}
}

// isASCII: column id takes nothing else, and what is compared with it must be so, or no
// index is used.
func isASCII(text string) bool {
	for _, b := range []byte(text) {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func is(codes ...uint16) func(error) bool {
	return func(err error) bool {
		var said *mysql.MySQLError
		return errors.As(err, &said) && slices.Contains(codes, said.Number)
	}
}
