package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"pruned/config"
	"pruned/config/secret"
	"pruned/repo/testenv"
)

// plants are secrets that occur nowhere else, by the setting that holds them.
type plants map[string]string

// plant makes a secret for each setting that is one.
func plant() plants {
	p := plants{}
	addSecrets(reflect.TypeFor[config.Config](), p)
	return p
}

func addSecrets(of reflect.Type, p plants) {
	for n := range of.NumField() {
		field := of.Field(n)
		switch {
		case field.Type == reflect.TypeFor[secret.Text]():
			p[field.Tag.Get("env")] = "planted" + strings.ReplaceAll(uuid.NewString(), "-", "")
		case field.Type.Kind() == reflect.Struct:
			addSecrets(field.Type, p)
		}
	}
}

// valued puts the planted secrets of these settings into values, where they have the place
// that % has.
func (p plants) valued(values map[string]string) (settings []string) {
	for name, value := range values {
		settings = append(settings, name+"="+strings.ReplaceAll(value, "%", p[name]))
	}
	return settings
}

// requireAbsent looks for every secret in a text, as it is and encoded.
func (p plants) requireAbsent(t *testing.T, where, text string) {
	t.Helper()
	for setting, planted := range p {
		for _, form := range formsOf(planted) {
			require.False(t, strings.Contains(text, form), "%s shows %s: %s", where, setting, around(text, form)) //nolint:testifylint // the text is as long as a store
		}
	}
}

func around(text, found string) string {
	at := strings.Index(text, found)
	if at < 0 {
		return ""
	}
	return text[max(0, at-200):min(len(text), at+200)]
}

// formsOf are a secret, its digits, and what base64 makes of it wherever it begins.
func formsOf(planted string) []string {
	forms := []string{planted, hex.EncodeToString([]byte(planted)), strings.ToUpper(hex.EncodeToString([]byte(planted)))}
	for before := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", before) + planted + "---"))
		forms = append(forms, encoded[4:len(encoded)-8])
	}
	return forms
}

func TestSecretsAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	planted := plant()["PRUNED_ADMIN_TOKEN"]
	for _, text := range []string{planted, "user:" + planted, "a:b:" + planted + ":c"} {
		for _, written := range []string{text, hex.EncodeToString([]byte(text)), base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text))} {
			require.True(t, slices.ContainsFunc(formsOf(planted), func(form string) bool { return strings.Contains(written, form) }), written)
		}
	}
}

// newMirror is a server that refuses, and quotes everything that it was sent.
func newMirror(t *testing.T) *httptest.Server {
	t.Helper()
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := httputil.DumpRequest(r, true)
		quoted, _ := json.Marshal(map[string]any{"error": string(sent), "detail": string(sent), "message": string(sent)})
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write(quoted)
	}))
	t.Cleanup(mirror.Close)
	return mirror
}

// collector takes what is sent to it.
type collector struct {
	*httptest.Server
	took output
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(&c.took, r.Body) }))
	t.Cleanup(c.Close)
	return c
}

// Every setting that is a secret is planted, of which the servers check those of the database,
// the vectors and the queue; all commands and the daemon do their work and fail at parts of it,
// and no secret is in what they print, log, serve, send, store, call processes by, or make
// PostgreSQL log.
func TestSecretsShowNowhere(t *testing.T) {
	p, mirror, traces := plant(), newMirror(t), newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	nats := startNATSWith(t, &server.Options{Username: "pruned", Password: p["NATS_URL"]})
	postgres := testenv.NewServer(t, testenv.ServerOptions{Passwords: true})
	postgres.AddRole(t, "rows", p["DATABASE_URL"])
	postgres.AddRole(t, "chunks", p["PGVECTOR_DB_URL"])
	i := installOn(t, postgres.New(t, testenv.Vectors(small)))
	values := map[string]string{}
	for name := range p {
		values[name] = "%"
	}
	maps.Copy(values, map[string]string{
		"DATABASE_URL": i.URLOf(t, "rows", p["DATABASE_URL"]), "PGVECTOR_DB_URL": i.URLOf(t, "chunks", p["PGVECTOR_DB_URL"]),
		"NATS_URL": "nats://pruned:%@" + nats.Addr().String(), "CHROMA_HTTP_HEADERS": "key=%", "MILVUS_TOKEN": "user:%",
		"GOOGLE_APPLICATION_CREDENTIALS_JSON": `{"type":"service_account","private_key":"%"}`, "PRUNED_NOTIFY_URL": mirror.URL + "/hooks/%?key=%",
	})
	i = i.with(p.valued(values)...).with("OPEN_WEBUI_URL="+mirror.URL, "PRUNED_LOG_LEVEL=trace", "PRUNED_TRASH=72h", "PRUNED_PPROF=127.0.0.1:0")
	for name, planted := range p {
		require.True(t, slices.ContainsFunc(i.env, func(s string) bool { return strings.HasPrefix(s, name+"=") && strings.Contains(s, planted) }), "%s is not planted", name)
	}

	seeded := i.seed(t, 20, 12)
	i.Exec(t, fmt.Sprintf(obstacles[0].sql, seeded.Orphans[3]))
	i.Exec(t, `INSERT INTO config (key, value) VALUES ('events.webhooks', $1)`, `[{"url": "http://h/webhook/`+p["PRUNED_WEBHOOK_TOKEN"]+`", "enabled": true}]`)
	p.requireAbsent(t, "the daemon", i.lookAround(t, p, seeded.Orphans))
	p.requireAbsent(t, "the queue", everyFile(t, nats.StoreDir()))
	p.requireAbsent(t, "the database", i.everyRow(t))
	p.requireAbsent(t, "a command", i.runEveryCommand(t, p, seeded.Orphans))
	require.NotEmpty(t, traces.took.String())
	p.requireAbsent(t, "a trace", traces.took.String())
	p.requireAbsent(t, "a file", everyFile(t, i.dir))
	p.requireAbsent(t, "PostgreSQL's log", postgres.Log())
}

// lookAround has a daemon delete, fail and tell somebody, and returns what it logged and
// served, and what processes were called meanwhile.
func (i *installation) lookAround(t *testing.T, p plants, orphans []string) string {
	t.Helper()
	var seen strings.Builder
	d := i.start(t)
	i.publish(t, orphans[:6]...)
	d.comesTo(t, "there is a dead letter, and the receiver refuses", func(g gauges) bool {
		return g["pruned_queue_dead_letters"] == 1 && g[`pruned_notifications_total{result="failed"}`] > 0 && g[count("deleted")] > 0
	})
	v := visit(t, d)
	look := func(method, path string, form url.Values, headers ...string) int {
		response, body := v.send(t, method, path, form, headers...)
		fmt.Fprintln(&seen, response.Header, body)
		return response.StatusCode
	}
	for _, path := range []string{"/metrics", "/readyz", "/healthz", "/livez", "/signin", "/"} {
		look(http.MethodGet, path, nil)
	}
	look(http.MethodPost, "/webhook/wrong", nil)
	look(http.MethodPost, "/webhook/"+p["PRUNED_WEBHOOK_TOKEN"], nil)
	look(http.MethodPost, "/webhook", nil, "Authorization", "Bearer "+p["PRUNED_WEBHOOK_TOKEN"])
	look(http.MethodPost, "/signin", url.Values{"user": {"alice"}, "token": {"wrong"}})
	require.Equal(t, http.StatusSeeOther, look(http.MethodPost, "/signin", url.Values{"user": {"alice"}, "token": {p["PRUNED_ADMIN_TOKEN"]}, "next": {"/unused"}}))
	for _, path := range []string{"/", "/unused", "/held", "/live", "/deleted", "/kept", "/dead", "/doctor", "/settings", "/file?id=" + orphans[8], "/unused.csv", "/unused.json", "/missing"} {
		look(http.MethodGet, path, nil)
	}
	profiles := profiling.FindStringSubmatch(d.errs.String())
	require.NotNil(t, profiles)
	for _, path := range []string{"cmdline", "goroutine?debug=2"} {
		_, body := call(t, http.MethodGet, "http://"+profiles[1]+"/debug/pprof/"+path)
		fmt.Fprintln(&seen, body)
	}
	fmt.Fprintln(&seen, processes(t))
	require.Zero(t, d.stop(t))
	return seen.String() + d.out.String() + d.errs.String()
}

// processes are the command lines of all.
func processes(t *testing.T) (list string) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range paths {
		line, _ := os.ReadFile(path) // it may have ended meanwhile
		list += string(line) + "\n"
	}
	return list
}

// runEveryCommand returns all that commands print, in one form or the other. Some fail.
func (i *installation) runEveryCommand(t *testing.T, p plants, orphans []string) string {
	t.Helper()
	commands := [][]string{
		{"config"}, {"version"}, {"completion", "bash"}, {"migrate"}, {"doctor"}, {"doctor", "--quick"}, {"doctor", "--grants", "somebody"}, {"doctor", "--nats-permissions"},
		{"publish", orphans[7]}, {"run", "--drain"}, {"run", "--once"}, {"sweep"}, {"sweep", "--dry-run"}, {"replay", "--dry-run"}, {"explain", orphans[8]}, {"trace", orphans[8]},
		{"usage"}, {"status"}, {"pause"}, {"resume"}, {"rate", "5/s"}, {"rate", "reset"}, {"dead", "list"}, {"dead", "show", "1"}, {"dead", "redrive"}, {"dead", "purge"},
		{"keep", "add", orphans[9]}, {"keep", "list"}, {"keep", "remove", orphans[9]}, {"ledger"}, {"trash", "list"}, {"restore", "--reindex", orphans[0]}, {"trash", "empty"},
		{"vacuum"}, {"no such command"}, {"--help"}, {"uninstall", "--yes"},
	}
	elsewhere := []string{"demo"} // it reads no settings
	for _, leaf := range leaves(t) {
		require.True(t, slices.Contains(elsewhere, leaf) || slices.ContainsFunc(commands, func(c []string) bool { return strings.HasPrefix(strings.Join(c, " ")+" ", leaf+" ") }), leaf)
	}
	var printed strings.Builder
	for n, command := range commands {
		_, out, errs := i.pruned(t, "", append(command, "-v", "--output", []string{"text", "json"}[n%2])...)
		fmt.Fprintln(&printed, out, errs)
	}
	for name := range p {
		flag := "--" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "PRUNED_"), "_", "-"))
		status, out, errs := i.pruned(t, "", "config", flag+"="+p[name])
		require.Equal(t, exitUsage, status, "a secret with a flag would be in the list of processes")
		fmt.Fprintln(&printed, out, errs)
	}
	return printed.String()
}

// leaves are all commands that can be run.
func leaves(t *testing.T) (names []string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Vars{"version": ""}, kong.Exit(func(int) {}))
	require.NoError(t, err)
	for _, leaf := range parser.Model.Leaves(true) {
		name, _, _ := strings.Cut(leaf.FullPath(), " <")
		names = append(names, strings.TrimPrefix(name, parser.Model.Name+" "))
	}
	return names
}

// everyRow are all rows of our own tables.
func (i *installation) everyRow(t *testing.T) (text string) {
	t.Helper()
	for _, table := range testenv.Column[string](t, i.Database, `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'pruned'`) {
		text += strings.Join(testenv.Column[string](t, i.Database, `SELECT t::text FROM `+table+` t`), "\n")
	}
	require.NotEmpty(t, text)
	return text
}

// everyFile is what all files below a folder hold, with their paths.
func everyFile(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		all.WriteString(path)
		all.Write(content)
		return err
	}))
	require.NotEmpty(t, all.String())
	return all.String()
}
