package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/config"
)

// What can be set can be opened, and the other way round.
func TestRegistryHasTheStoresOfTheSettings(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, config.VectorStores, slices.Collect(maps.Keys(vectorStores)))
	require.ElementsMatch(t, config.ByteStores, slices.Collect(maps.Keys(byteStores)))
}
