package main

import (
	"maps"
	"reflect"
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
	for kind, stores := range map[reflect.Type][]string{
		reflect.TypeFor[config.Vectors](): config.VectorStores, reflect.TypeFor[config.Storage](): config.ByteStores,
	} {
		said := ""
		for i := range kind.NumField() {
			said += string(kind.Field(i).Tag)
		}
		for _, name := range stores {
			require.Contains(t, said, name, "the help of %s names every store", kind)
		}
	}
}
