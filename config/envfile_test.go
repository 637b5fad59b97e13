package config

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What python-dotenv 1.2.4 makes of the same text, with HOME=/root set.
func TestEnvFileIsReadAsOpenWebUIReadsIt(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]map[string]string{
		"A=b":                              {"A": "b"},
		"\ufeffA=b\r\nC = d \r\n\r\nE=f":   {"A": "b", "C": "d", "E": "f"},
		"# comment\n  export A=b # c\n":    {"A": "b"},
		"A=b#c\nD= # e\nF=#g":              {"A": "b#c", "D": "", "F": "#g"},
		"A='b # c' # d\nE=\"f\\ng\\$\"":    {"A": "b # c", "E": "f\ng\\$"},
		"A='it\\'s\\n'":                    {"A": "it's\\n"},
		"A=\"two\nlines\"\nB=c":            {"A": "two\nlines", "B": "c"},
		"A=pa$S1$(x)word":                  {"A": "pa$S1$(x)word"},
		"A=b\nC=${A}/${X:-d}/${Y}/${HOME}": {"A": "b", "C": "b/d///root"},
		"A='${HOME}'":                      {"A": "/root"},
		"A\nB=c":                           {"B": "c"},
		"'A'=b":                            {"A": "b"},
		"HOME=/other":                      {},
		"":                                 {},
	} {
		e := newEnvironment([]string{"HOME=/root"})
		require.NoError(t, e.merge(content), content)
		delete(e.values, "HOME")
		assert.Equal(t, want, maps.Collect(maps.All(e.values)), content)
	}
}

func TestEnvFileLineThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"A=b\n=hunter2":        "line 2 cannot be read: wanted NAME=value",
		"A=b\r\n\r\nC d":       "line 3 cannot be read: wanted NAME=value",
		"A='hunter2\n\nB=c":    "line 1 cannot be read: wanted NAME=value",
		"A=\"hunter2\" hunter": "line 1 cannot be read: wanted NAME=value",
	} {
		assert.EqualError(t, newEnvironment(nil).merge(content), want)
	}
}

func TestEnvFile(t *testing.T) {
	t.Parallel()
	path := file(t, "DATABASE_URL='postgresql://u:pa$S1word@db/webui'\nVECTOR_DB=none\nPRUNED_BATCH=7\nPRUNED_WORKERS=3\nOPENAI_API_KEY=x\n")
	c, err := parse([]string{"PRUNED_BATCH=8", "VECTOR_DB="}, "--env-file", path)
	require.NoError(t, err)
	assert.Equal(t, Secret("postgresql://u:pa$S1word@db/webui"), c.Database.URL)
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
