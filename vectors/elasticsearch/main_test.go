package elasticsearch_test

import (
	"testing"

	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
