package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValkeyThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const wanted = ": wanted valkey://host:port/number, as Open WebUI has it"
	store := []string{"VECTOR_DB=valkey", "PRUNED_UNPROVEN=valkey"}
	for want, environ := range map[string][]string{
		"VALKEY_URL: is not set" + wanted:                                        nil,
		"VALKEY_URL: *** is no address of a server" + wanted:                     {"VALKEY_URL=valkey"},
		"VALKEY_URL: valkey://u:***@h/a names no number of a database" + wanted:  {"VALKEY_URL=valkey://u:hunter2@h/a"},
		"VALKEY_URL: valkey://u:***@h/-1 names no number of a database" + wanted: {"VALKEY_URL=valkey://u:hunter2@h/-1"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(environ, store...)...)))
	}
	for _, url := range []string{"valkey://h", "redis://u:p@h:6380/2", "rediss://10.0.0.7/"} {
		_, err := parse(with(append(store, "VALKEY_URL="+url)...))
		require.NoError(t, err)
	}
}
