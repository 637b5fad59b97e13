package dbfile

import (
	"testing"

	"pruned/repo/repotest"
)

func TestMain(m *testing.M) { repotest.Main(m) }
