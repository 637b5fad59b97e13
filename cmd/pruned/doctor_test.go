package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

type diagnosis struct {
	OK     bool
	Checks []finding
}

func (d diagnosis) of(t *testing.T, check string) finding {
	t.Helper()
	i := slices.IndexFunc(d.Checks, func(f finding) bool { return f.Check == check })
	require.GreaterOrEqual(t, i, 0, check)
	return d.Checks[i]
}

// The statements that doctor prints make a role that can do everything.
func TestDoctorGrants(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	role := "role_of_" + i.Name
	i.Exec(t, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() {
		i.Exec(t, `DROP OWNED BY `+role+` CASCADE`)
		i.Exec(t, `DROP ROLE `+role)
	})
	grants := i.must(t, "doctor", "--grants", role)
	require.Equal(t, strings.Split(strings.TrimSpace(grants), "\n"), ask[[]string](t, i, "doctor", "--grants", role))
	for statement := range strings.Lines(grants) {
		i.Exec(t, statement)
	}
	as := i.with("DATABASE_URL=" + strings.Replace(i.URL, "postgres@", role+"@", 1))
	require.NotEqual(t, i.env, as.env)
	file := testenv.NewFile(t, i.Pool)
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file, Vectors: small})
	as.publish(t, file)
	require.Equal(t, 1, as.drain(t).Deleted)
	require.True(t, ask[diagnosis](t, as, "doctor").OK)
	require.Equal(t, nothing, i.left(t, file))
}

// Whether the webhook is registered is told, and its token never.
func TestDoctorTellsOfTheWebhook(t *testing.T) {
	t.Parallel()
	const token = "a-very-secret-token"
	for name, c := range map[string]struct {
		urls   []string
		token  string
		ok     bool
		detail string
	}{
		"none":             {nil, token, true, "not registered"},
		"unused":           {nil, "", true, "not used"},
		"another's":        {[]string{"https://hooks.example/x/y"}, token, true, "not registered"},
		"in the path":      {[]string{"https://x", "http://pruned:8077/webhook/" + token}, token, true, "registered in Open WebUI, at pruned:8077"},
		"below a proxy":    {[]string{"http://h/p/webhook/" + token + "/"}, token, true, "at h"},
		"in the query":     {[]string{"http://h/webhook?token=" + token}, token, true, "at h"},
		"another token":    {[]string{"http://h/webhook/" + token + "2"}, token, false, "another token"},
		"no receiver":      {[]string{"http://h/webhook/" + token}, "", false, "nothing receives"},
		"not an address":   {[]string{"http://%zz/webhook/" + token}, token, true, "not registered"},
		"webhook, no more": {[]string{"http://h/webhook"}, token, true, "not registered"},
	} {
		f := webhookFinding(c.urls, c.token)
		require.Equal(t, c.ok, f.OK, name)
		require.Contains(t, f.Detail, c.detail, name)
		require.NotContains(t, f.Detail+f.Remedy, token, name)
	}

	i := install(t, testenv.Vectors(small)).with("PRUNED_WEBHOOK_TOKEN=" + token)
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "webhook").Detail, "not registered")
	i.Exec(t, `INSERT INTO config (key, value) VALUES ('events.webhooks', json_build_array(json_build_object('url', 'http://h/webhook/'||$1::text, 'enabled', true)))`, token)
	out := i.must(t, "doctor")
	require.Contains(t, out, "registered in Open WebUI, at h")
	require.NotContains(t, out, token)
}
