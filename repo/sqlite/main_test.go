package sqlite_test

import (
	"flag"
	"os"
	"testing"

	"pruned/repo/testenv"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(dieVariable); path != "" {
		die(path)
	}
	// Each check is a database of its own; -rapid.checks asks for more.
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("12"); err != nil {
			panic(err)
		}
	}
	testenv.Main(m)
}
