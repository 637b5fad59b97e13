package milvus_test

import (
	"flag"
	"testing"

	"pruned/repo/testenv"
)

// TestMain has many cases at a time: each waits for the server's clock, and does nothing
// meanwhile.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testenv.Main(m)
}
