package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// The version needs no settings, also where those are wrong.
func TestVersionTellsCommitAndGo(t *testing.T) {
	t.Parallel()
	i := bare("PRUNED_BATCH=0")
	b := ask[build](t, i, "version")
	require.Equal(t, "dev", b.Version)
	require.Equal(t, runtime.Version(), b.Go)
	out := i.must(t, "version")
	require.Regexp(t, `version +dev\ncommit +\S.*\ngo +`+runtime.Version(), out)
}

// What holds is shown with where it comes from, and no secret.
func TestConfigShowsWhatHolds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := bare("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d", "VECTOR_DB=pgvector", "DATA_DIR="+dir,
		"PRUNED_WEBHOOK_TOKEN=p4ssw0rdp4ssw0rd", "PRUNED_IGNORE=feedback,chat.meta")
	got := ask[struct {
		Settings []shownSetting
		Assumed  []string
	}](t, i, "config", "--min-age=90m")
	require.NotNil(t, got.Assumed)
	settings := map[string]shownSetting{}
	for _, s := range got.Settings {
		settings[s.Name] = s
	}
	for name, want := range map[string]shownSetting{
		"DATABASE_URL":         {Value: "postgresql://u:***@127.0.0.1:1/d", Source: "environment"},
		"PRUNED_WEBHOOK_TOKEN": {Value: "***", Source: "environment"},
		"PRUNED_IGNORE":        {Value: "feedback,chat.meta", Source: "environment"},
		"PRUNED_MIN_AGE":       {Value: "1h30m", Source: "flag"},
		"PRUNED_ORPHAN_AGE":    {Value: "1h", Source: "default"},
		"PRUNED_MAX_BYTES":     {Value: "1.0 GiB", Source: "default"},
		"PRUNED_DATA_DIR":      {Value: dir + "/pruned", Source: "derived"},
		"NATS_URL":             {Value: "", Source: "default"},
	} {
		want.Name = name
		require.Equal(t, want, settings[name])
	}
	out := i.must(t, "config", "--min-age=90m")
	require.Regexp(t, `(?m)^  PRUNED_MIN_AGE +1h30m +flag$`, out)
	require.Regexp(t, `(?m)^  NATS_URL +- +default$`, out)
	require.NotContains(t, out, "p4ssw0rd")
	require.Contains(t, bare("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d").must(t, "config"), "VECTOR_DB is not set: taken for chroma")
}
