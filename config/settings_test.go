package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// showing is a command that asks for the settings.
type showing struct {
	Config `embed:""`
	Show   showCmd `cmd:""`
}

type showCmd struct{ list []Setting }

// Run keeps them.
func (s *showCmd) Run(settings *Settings) error {
	s.list = settings.List()
	return nil
}

// settingsOf are the settings of a command line, by name.
func settingsOf(t *testing.T, environ []string, args ...string) map[string]Setting {
	t.Helper()
	var c showing
	ctx, err := Parse(&c, append([]string{"show"}, args...), environ, io.Discard, kong.Name("pruned"))
	require.NoError(t, err)
	require.NoError(t, ctx.Run())
	settings := map[string]Setting{}
	for _, s := range c.Show.list {
		settings[s.Name] = s
	}
	require.Len(t, settings, len(c.Show.list))
	return settings
}

func TestSettingsTellWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	token, keyFile := write("token", "0123456789abcdef\n"), write("key", "hunter2")
	file := write(".env", "PRUNED_BATCH=9\nPRUNED_WORKERS=4\nPRUNED_RATE=7\nPGVECTOR_PGCRYPTO=true\nPGVECTOR_PGCRYPTO_KEY_FILE="+keyFile+"\n")
	got := settingsOf(t, []string{
		"DATABASE_URL=postgres://u:hunter2@db:5432/webui?sslmode=require", "VECTOR_DB=pgvector", "DATA_DIR=" + dir,
		"PRUNED_WEBHOOK_TOKEN_FILE=" + token, "PRUNED_RATE=5", "PRUNED_MIN_AGE=2h", "NATS_URL=nats://t0ken@n:4222",
	}, "--env-file", file, "--batch=8", "--min-age=3h")
	for name, want := range map[string]Setting{
		"DATABASE_URL":          {Value: "postgresql://u:***@db:5432/webui", Source: FromEnvironment, Group: "Open WebUI's database"},
		"PGVECTOR_DB_URL":       {Value: "postgresql://u:***@db:5432/webui", Source: Derived, Group: "Open WebUI's vectors"},
		"PGVECTOR_PGCRYPTO_KEY": {Value: "***", Source: FromEnvFile, File: keyFile, Group: "Open WebUI's vectors"},
		"NATS_URL":              {Value: "nats://***@n:4222", Source: FromEnvironment, Group: "Queue"},
		"PRUNED_DATA_DIR":       {Value: dir + "/pruned", Source: Derived, Group: "Queue"},
		"PRUNED_STREAM":         {Value: "PRUNED", Source: FromDefault, Group: "Queue"},
		"PRUNED_BATCH":          {Value: 8, Source: FromFlag, Group: "Batches"},
		"PRUNED_WORKERS":        {Value: 4, Source: FromEnvFile, File: file, Group: "Batches"},
		"PRUNED_RATE":           {Value: 5.0, Source: FromEnvironment, Group: "Batches"},
		"PRUNED_DRY_RUN":        {Value: false, Source: FromDefault, Group: "Batches"},
		"PRUNED_MIN_AGE":        {Value: 3 * time.Hour, Source: FromFlag, Group: "Ages"},
		"PRUNED_WEBHOOK_TOKEN":  {Value: "***", Source: FromEnvironment, File: token, Group: "HTTP"},
		"DATABASE_PASSWORD":     {Value: "", Source: FromDefault, Group: "Open WebUI's database"},
	} {
		want.Name = name
		require.Equal(t, want, got[name])
	}
	require.NotContains(t, fmt.Sprint(got), "hunter2")
	require.NotContains(t, fmt.Sprint(got), "t0ken")
	require.NotContains(t, fmt.Sprint(got), "0123456789abcdef")
}

// A database that is made of parts is not the one that DATABASE_URL names.
func TestSettingsTellAURLThatIsMadeOfParts(t *testing.T) {
	t.Parallel()
	parts := []string{"DATABASE_TYPE=postgresql", "DATABASE_USER=u", "DATABASE_PASSWORD=hunter2", "DATABASE_HOST=db", "DATABASE_PORT=1", "DATABASE_NAME=webui"}
	got := settingsOf(t, append(parts, "DATABASE_URL=postgresql://other/db", "VECTOR_DB=none"))
	require.Equal(t, "postgresql://u:***@db:1/webui", got["DATABASE_URL"].Value)
	require.Equal(t, Derived, got["DATABASE_URL"].Source)
	require.Equal(t, "***", got["DATABASE_PASSWORD"].Value)
	require.Equal(t, Derived, got["DATA_DIR"].Source)
	require.Equal(t, FromEnvironment, got["VECTOR_DB"].Source)
	require.Equal(t, Derived, settingsOf(t, []string{"DATABASE_URL=postgresql://db/webui"})["VECTOR_DB"].Source)
}
