package config

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/config/secret"
)

func TestEnvFile(t *testing.T) {
	t.Parallel()
	path := file(t, "DATABASE_URL='postgresql://u:pa$S1word@db/webui'\nVECTOR_DB=none\nPRUNED_BATCH=7\nPRUNED_WORKERS=3\nOPENAI_API_KEY=x\n")
	c, err := parse([]string{"PRUNED_BATCH=8", "VECTOR_DB="}, "--env-file", path)
	require.NoError(t, err)
	assert.Equal(t, secret.Text("postgresql://u:pa$S1word@db/webui"), c.Database.URL)
	assert.Equal(t, "none", c.Vectors.DB, "an empty variable is as good as none")
	assert.Equal(t, 8, c.Consumer.Batch, "the environment wins")
	assert.Equal(t, 3, c.Consumer.Workers)
	c, err = parse(nil, "--env-file="+path, "--workers=4")
	require.NoError(t, err)
	assert.Equal(t, 4, c.Consumer.Workers, "a flag wins over both")
}

func TestEnvFileThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"PRUNED_BACTH: is not a setting: wanted one that is, such as PRUNED_BATCH"},
		lines(t, usable, "--env-file", file(t, "PRUNED_BACTH=1")))
	missing := filepath.Join(t.TempDir(), "missing")
	assert.Equal(t, []string{`--env-file: "` + missing + `" cannot be read: open ` + missing + ": no such file or directory"},
		lines(t, usable, "--env-file", missing))
	broken := file(t, "=hunter2")
	assert.Equal(t, []string{`--env-file: "` + broken + `": line 1 cannot be read: wanted NAME=value`},
		lines(t, usable, "--env-file", broken))
}
