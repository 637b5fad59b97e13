package main

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

const adminToken = "a-token-for-the-page"

// pageSite is an installation of one engine with a page.
type pageSite struct {
	*installation
	orphans, used []string
	exec          func(t testing.TB, query string, args ...any) int64
	count         func(t testing.TB, query string, args ...any) int64
	refuse        string // makes a file impossible to delete; %s is its id
}

// onPageSites runs a test on each engine, with files of which many are unused.
func onPageSites(t *testing.T, files, orphans int, test func(*testing.T, *pageSite)) {
	t.Helper()
	settings := []string{"PRUNED_ADMIN_TOKEN=" + adminToken, "PRUNED_TRASH=72h", "OPEN_WEBUI_URL=https://chat.example.org/", "PRUNED_LOG_LEVEL=info"}
	const user = `INSERT INTO "user" (id, name, email, role, profile_image_url, created_at, updated_at, last_active_at) VALUES ('alice', 'Alice', 'a@b', 'user', '', 1, 1, 1)`
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		i := install(t, testenv.Vectors(small)).with(settings...)
		s := &pageSite{installation: i, exec: func(t testing.TB, q string, args ...any) int64 { i.Exec(t, q, args...); return 0 },
			count: func(t testing.TB, q string, args ...any) int64 {
				return testenv.Value[int64](t, i.Database, q, args...)
			}, refuse: `
			CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'legal hold'; END $$;
			CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id = '%s') EXECUTE FUNCTION refuse()`}
		i.Exec(t, user)
		seeded := i.seed(t, files, orphans)
		s.orphans, s.used = seeded.Orphans, seeded.InUse
		test(t, s)
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := testenv.NewSQLite(t)
		dir := filepath.Dir(d.Path)
		uploads := filepath.Join(dir, "uploads")
		require.NoError(t, os.MkdirAll(uploads, 0o755))
		seeded, err := testenv.SeedSQLite(t.Context(), d.Path, testenv.SeedOptions{Files: files, Orphans: orphans, UploadDir: uploads})
		require.NoError(t, err)
		d.Exec(t, user)
		i := bare(append([]string{"DATABASE_URL=sqlite:///" + d.Path, "DATA_DIR=" + dir, "VECTOR_DB=none", "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0",
			"PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_LOG_FORMAT=json"}, settings...)...)
		i.dir = dir
		test(t, &pageSite{installation: i, orphans: seeded.Orphans, used: seeded.InUse, exec: d.Exec, count: d.Count,
			refuse: `CREATE TRIGGER refuse BEFORE DELETE ON file WHEN OLD.id = '%s' BEGIN SELECT RAISE(ABORT, 'legal hold'); END`})
	})
}

// visitor is a browser without a window.
type visitor struct {
	url    string
	client *http.Client
}

// visit begins at a daemon's page, as nobody.
func visit(t *testing.T, d *daemon) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{d.url(t), &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// send sends a request, with headers in pairs.
func (v *visitor) send(t *testing.T, method, path string, form url.Values, headers ...string) (response *http.Response, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err = v.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

// signIn signs in as somebody.
func (v *visitor) signIn(t *testing.T, user string) {
	t.Helper()
	response, body := v.send(t, http.MethodPost, "/signin", url.Values{"user": {user}, "token": {adminToken}, "next": {"/unused"}})
	require.Equal(t, http.StatusSeeOther, response.StatusCode, body)
	require.Equal(t, "/unused", response.Header.Get("Location"))
}

// see gets a view, which must be whole, safe and small.
func (v *visitor) see(t *testing.T, path string) string {
	t.Helper()
	response, body := v.send(t, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, response.StatusCode, body)
	require.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, response.Header.Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
	require.Less(t, len(body), 200_000, "%s", path)
	require.Equal(t, 1, strings.Count(body, "<h1>"), path)
	require.NotContains(t, body, "style=", "the policy forbids it")
	require.NotContains(t, body, adminToken)
	require.NotContains(t, body, `role="alert"`, path)
	return body
}

// act sends a form, and returns the view that follows.
func (v *visitor) act(t *testing.T, path string, form url.Values) string {
	t.Helper()
	response, body := v.send(t, http.MethodPost, path, form)
	require.Equal(t, http.StatusSeeOther, response.StatusCode, body)
	return v.see(t, response.Header.Get("Location"))
}

// shows waits until a view holds a text.
func (v *visitor) shows(t *testing.T, path, text string) (body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, body = v.send(t, http.MethodGet, path, nil)
		return strings.Contains(body, text)
	}, signalTimeout, 40*pollEvery, "%s on %s", text, path)
	return body
}

var heldInputs = regexp.MustCompile(`<input type="(?:hidden|checkbox)" name="([a-z]+)" value="([^"]+)"`)

// heldForm is the form that lets go what is held, as the view offers it.
func (v *visitor) heldForm(t *testing.T) (id string, form url.Values) {
	t.Helper()
	form = url.Values{}
	for _, input := range heldInputs.FindAllStringSubmatch(v.see(t, "/held"), -1) {
		form.Add(input[1], html.UnescapeString(input[2]))
	}
	id = form.Get("id")
	form.Set("typed", id)
	return id, form
}

var pageViews = []string{"/", "/unused", "/held", "/kept", "/live", "/deleted", "/dead", "/doctor", "/doctor?all=1", "/settings", "/file"}

// Everything of the page is used as an operator would: what is held is let go, restored,
// redriven, and each is in the ledger with who did it.
func TestPageIsUsed(t *testing.T) {
	t.Parallel()
	onPageSites(t, 60, 40, func(t *testing.T, s *pageSite) {
		guilty := s.orphans[0]
		s.exec(t, fmt.Sprintf(s.refuse, guilty))
		s.exec(t, `UPDATE file SET filename = '<script>alert(1)</script>.pdf', user_id = 'alice', meta = '{"size": 5000}', data = '{"content": "It begins & ends"}' WHERE id = $1`, s.orphans[1])
		d := s.start(t)
		v := visit(t, d)
		v.signIn(t, "Ann")
		overview := v.shows(t, "/", "Held: files that nothing mentions")
		require.Contains(t, overview, "40 of 60 in database")
		require.Contains(t, overview, "pruned sweep --confirm")
		for _, path := range pageViews {
			require.Contains(t, v.see(t, path), "the same as", path)
		}
		unused := v.see(t, "/unused?text=SCRIPT&user=alice")
		require.Contains(t, unused, "&lt;script&gt;alert(1)&lt;/script&gt;.pdf")
		require.Contains(t, unused, "4.9 KiB")
		require.Contains(t, unused, "1 unused")
		about := v.see(t, "/file?id="+s.orphans[1])
		require.Contains(t, v.see(t, "/unused/show?id="+s.orphans[1]), "It begins &amp; ends")
		require.Contains(t, about, "verdict")
		require.Contains(t, v.see(t, "/file?id=11111111-2222-4333-8444-555555555555"), "was ever seen here")

		id, form := v.heldForm(t)
		for name, wrong := range map[string][]string{"typed": {"yes"}, "direction": nil, "shown": {"row yesterday"}, "id": {"nothing"}, "listed": {"row nobody"}} {
			changed := maps.Clone(form)
			changed[name] = wrong
			response, _ := v.send(t, http.MethodPost, "/held/confirm", changed)
			require.Equal(t, http.StatusBadRequest, response.StatusCode, name)
		}
		response, _ := v.send(t, http.MethodPost, "/held/confirm", url.Values{"id": {"nothing"}, "typed": {"nothing"}, "direction": {"row"}, "shown": form["shown"]})
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.EqualValues(t, 60, s.count(t, `SELECT count(*) FROM file`))
		require.Contains(t, v.act(t, "/held/confirm", form), "40 files go now.")
		require.Eventually(t, func() bool { return s.count(t, `SELECT count(*) FROM file`) == 21 }, signalTimeout, 40*pollEvery)
		require.Contains(t, v.see(t, "/deleted?outcome=confirmed"), "let go what the sweep held of files that nothing mentions, by Ann")
		require.Contains(t, v.see(t, "/deleted?outcome=confirmed"), id)
		v.shows(t, "/held", "Nothing is held.")

		require.Contains(t, v.see(t, "/deleted?user=alice&text=script"), "&lt;script&gt;")
		require.Contains(t, v.act(t, "/deleted/restore", url.Values{"id": {s.orphans[1], s.orphans[2]}}), "2 files restored")
		require.EqualValues(t, 23, s.count(t, `SELECT count(*) FROM file`))
		require.Contains(t, v.see(t, "/deleted?outcome=restored"), "taken back from the trash, by Ann")
		response, _ = v.send(t, http.MethodPost, "/deleted/empty", url.Values{"typed": {"all"}})
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, v.act(t, "/deleted/empty", url.Values{"typed": {"empty"}}), "files left the trash")
		require.NotContains(t, v.see(t, "/deleted"), "can be restored")

		letters := v.shows(t, "/dead", "poison")
		name := regexp.MustCompile(`name="name" value="([^"]+)"`).FindStringSubmatch(letters)[1]
		require.Contains(t, v.see(t, "/dead/show?name="+name), guilty)
		s.exec(t, map[bool]string{true: `DROP TRIGGER refuse ON file`, false: `DROP TRIGGER refuse`}[strings.Contains(s.refuse, "plpgsql")])
		require.Contains(t, v.act(t, "/dead/redrive", url.Values{"name": {name}}), "1 of 1 dead letters published again")
		require.Eventually(t, func() bool { return s.count(t, `SELECT count(*) FROM file WHERE id = $1`, guilty) == 0 }, signalTimeout, 40*pollEvery)
		require.Contains(t, v.act(t, "/dead/purge", url.Values{"typed": {"purge"}}), "0 dead letters forgotten")
		require.Contains(t, v.see(t, "/deleted?outcome=redriven"), "by Ann")
		require.Zero(t, d.stop(t))
		require.NotContains(t, d.errs.String(), adminToken)
	})
}

// Nobody gets in without the token, and no other site makes a browser do anything.
func TestPageIsClosedToStrangers(t *testing.T) {
	t.Parallel()
	onPageSites(t, 4, 0, func(t *testing.T, s *pageSite) {
		v := visit(t, s.with("PRUNED_ADMIN_PROXY_CIDR=127.0.0.1/32").start(t))
		response, _ := v.send(t, http.MethodGet, "/unused?text=a", nil)
		require.Equal(t, http.StatusSeeOther, response.StatusCode)
		require.Equal(t, "/signin?next=%2Funused%3Ftext%3Da", response.Header.Get("Location"))
		for _, path := range []string{"/unused.csv", "/unused.json", "/live/events"} {
			response, _ = v.send(t, http.MethodGet, path, nil, "Accept", "*/*")
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, path)
		}
		for _, path := range []string{"/held/confirm", "/kept/add", "/kept/end", "/deleted/restore", "/deleted/empty", "/dead/redrive", "/dead/purge", "/live/pause", "/live/resume", "/live/rate"} {
			response, _ = v.send(t, http.MethodPost, path, url.Values{"id": s.used})
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, path)
		}
		response, _ = v.send(t, http.MethodPost, "/signin", url.Values{"token": {"wrong"}})
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`} {
			response, _ = v.send(t, http.MethodPost, "/signin", url.Values{"token": {adminToken}, "next": {next}}, "X-Forwarded-Proto", "https")
			require.Equal(t, "/", response.Header.Get("Location"), next)
		}
		cookie := response.Header.Get("Set-Cookie")
		for _, attribute := range []string{"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} {
			require.Contains(t, cookie, attribute)
		}
		require.Eventually(t, func() bool {
			response, _ = v.send(t, http.MethodPost, "/signin", url.Values{"token": {"wrong"}})
			return response.StatusCode == http.StatusTooManyRequests
		}, signalTimeout, pollEvery, "tries are limited")

		response, body := v.send(t, http.MethodGet, "/", nil, "X-Forwarded-User", "Bob")
		require.Equal(t, http.StatusOK, response.StatusCode, "a proxy of ours says who it is")
		require.Contains(t, body, "Bob")
		response, _ = v.send(t, http.MethodPost, "/dead/purge", url.Values{"typed": {"purge"}}, "X-Forwarded-User", "Bob", "Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		response, _ = v.send(t, http.MethodPost, "/dead/purge", url.Values{"typed": {"purge"}}, "X-Forwarded-User", "Bob", "Origin", "https://evil.example")
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		response, _ = v.send(t, http.MethodGet, "/nowhere", nil, "X-Forwarded-User", "Bob")
		require.Equal(t, http.StatusNotFound, response.StatusCode)
		response, _ = v.send(t, http.MethodGet, "/unused?sort=evil", nil, "X-Forwarded-User", "Bob")
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
	})
}

// Without a token there is no page, and a dry run does nothing.
func TestPageOfADryRunDoesNothing(t *testing.T) {
	t.Parallel()
	onPageSites(t, 4, 0, func(t *testing.T, s *pageSite) {
		d := s.start(t, "--dry-run")
		v := visit(t, d)
		v.signIn(t, "")
		require.Contains(t, v.see(t, "/"), "runs dry")
		response, body := v.send(t, http.MethodPost, "/deleted/empty", url.Values{"typed": {"empty"}})
		require.Equal(t, http.StatusConflict, response.StatusCode)
		require.Contains(t, body, "PRUNED_DRY_RUN")
		response, _ = v.send(t, http.MethodPost, "/signout", nil)
		require.Equal(t, "/signin", response.Header.Get("Location"))
		response, _ = v.send(t, http.MethodGet, "/", nil)
		require.Equal(t, http.StatusSeeOther, response.StatusCode)
		require.Zero(t, d.stop(t))
		status, _ := call(t, http.MethodGet, s.with("PRUNED_ADMIN_TOKEN=").start(t, "--dry-run").url(t)+"/")
		require.Equal(t, http.StatusNotFound, status)
	})
}
