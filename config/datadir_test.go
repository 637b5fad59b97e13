package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dataDir makes a data folder with a database in it.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, sqliteFile), []byte("x"), 0o600))
	return dir
}

// The folder is the process's, so this test is not parallel.
func TestOwnershipOfAGuessedFolder(t *testing.T) {
	ours, others := dataDir(t), dataDir(t)
	refused := []string{`DATA_DIR: is not set, and "." has a webui.db that is not DATABASE_URL's: wanted Open WebUI's data folder`}
	t.Chdir(others)
	assert.Equal(t, refused, lines(t, usable))
	assert.Equal(t, refused, lines(t, with("DATABASE_URL=sqlite:///"+ours+"/webui.db")))
	c, err := parse(with("DATABASE_URL=sqlite:///"+others+"/webui.db", "VECTOR_DB=none"))
	require.NoError(t, err)
	assert.Equal(t, ".", c.Storage.DataDir)
	assert.Equal(t, []string{"DATA_DIR is not set: taken for ."}, c.Assumed)
	_, err = parse(with("DATA_DIR=" + ours))
	require.NoError(t, err)
	c, err = parse([]string{"VECTOR_DB=none"})
	require.NoError(t, err)
	assert.Equal(t, []string{"DATABASE_URL is not set: found webui.db"}, c.Assumed)
	t.Chdir(t.TempDir())
	c, err = parse(usable)
	require.NoError(t, err)
	require.Len(t, c.Assumed, 1)
	assert.Contains(t, c.Assumed[0], "DATA_DIR is not set: taken for ")
}

func TestOwnershipOfANamedFolder(t *testing.T) {
	t.Parallel()
	ours, others, empty := dataDir(t), dataDir(t), t.TempDir()
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(filepath.Join(others, sqliteFile), link))
	url := "DATABASE_URL=sqlite:///" + ours + "/webui.db"
	assert.Equal(t, []string{`DATA_DIR: "` + others + `" has a webui.db that is not DATABASE_URL's: wanted the data folder of that database, or that file moved away if nothing uses it`},
		lines(t, with(url, "DATA_DIR="+others)))
	for _, environ := range [][]string{
		{url, "DATA_DIR=" + ours}, {url, "DATA_DIR=" + empty}, {"DATABASE_URL=sqlite:///" + link, "DATA_DIR=" + others},
		{"DATA_DIR=" + others}, // PostgreSQL, and what was there before
	} {
		_, err := parse(with(environ...))
		assert.NoError(t, err, environ)
	}
}

func TestSettingThatIsNotSetAndPlainlyUsed(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"VECTOR_DB: is not set, and PGVECTOR_DB_URL is: wanted pgvector where the vectors are there, else chroma"},
		lines(t, []string{"DATABASE_URL=postgresql://db/webui", "DATA_DIR=/d", "PGVECTOR_DB_URL=postgresql://v/vectors"}))
}

func TestSecretTokenIsLong(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"PRUNED_WEBHOOK_TOKEN", "PRUNED_ADMIN_TOKEN"} {
		for _, short := range []string{"?", "0123456789abcde"} {
			got := lines(t, with(setting+"="+short))
			require.Len(t, got, 1)
			assert.Contains(t, got[0], setting+": has ")
			assert.Contains(t, got[0], "wanted 16 or more")
			assert.NotContains(t, got[0], short)
		}
		_, err := parse(with(setting + "=" + token))
		assert.NoError(t, err)
	}
}

func TestSettingsOfThePage(t *testing.T) {
	t.Parallel()
	c, err := parse(with("PRUNED_ADMIN_TOKEN="+token, "PRUNED_ADMIN_PROXY_CIDR=10.1.2.3/8,::1/128", "OPEN_WEBUI_URL=https://chat.example.org"))
	require.NoError(t, err)
	assert.Equal(t, "[10.0.0.0/8 ::1/128]", fmt.Sprint(c.HTTP.ProxyPrefixes()))
	for want, environ := range map[string][]string{
		`PRUNED_ADMIN_PROXY_CIDR: "10.0.0.0" is no range of addresses: wanted one such as 10.0.0.0/8 or 10.1.2.3/32`: {"PRUNED_ADMIN_TOKEN=" + token, "PRUNED_ADMIN_PROXY_CIDR=10.0.0.0"},
		`PRUNED_ADMIN_PROXY_CIDR: is set, and there is no page: wanted PRUNED_ADMIN_TOKEN as well`:                   {"PRUNED_ADMIN_PROXY_CIDR=10.0.0.0/8"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(environ...)))
	}
}
