package prune_test

import (
	"testing"

	"pruned/consumer/internal/fixture"
)

func TestMain(m *testing.M) { fixture.Main(m) }
