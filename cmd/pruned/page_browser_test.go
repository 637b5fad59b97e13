package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// pictures is where what the browser showed is kept, to be looked at.
const pictures = "../../dist/page"

// chromium is a real browser at a page. It notes what it must not do.
type chromium struct {
	context.Context
	url, name string
	axe       string

	mu     sync.Mutex
	faults []string
}

func browse(t *testing.T, url, name string) *chromium {
	t.Helper()
	installed, err := testenv.OpenChromium(t.Context())
	require.NoError(t, err)
	axe, err := os.ReadFile(installed.Axe)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(pictures, 0o755))
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(installed.Program), chromedp.Env(installed.Env...),
		chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(signalTimeout))
	allocator, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	c := &chromium{Context: ctx, url: url, name: name, axe: string(axe)}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"))) // the browser lives as long as its first context
	require.NoError(t, chromedp.Listen(ctx, c.note))
	_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	return c
}

// note notes requests that leave the origin, and what the log of the browser tells, such
// as what the policy forbade.
func (c *chromium) note(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, c.url+"/") {
			c.faults = append(c.faults, "a request to "+e.Request.URL)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || strings.Contains(e.Entry.Text, "Content Security Policy") {
			c.faults = append(c.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (c *chromium) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(c, signalTimeout)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx, steps...))
}

// get is what an action answers.
func get[T any](t *testing.T, c *chromium, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(c, signalTimeout)
	defer cancel()
	answer, err := chromedp.Run(ctx, action)
	require.NoError(t, err)
	return answer
}

func (c *chromium) open(t *testing.T, path string) {
	t.Helper()
	c.do(t, chromedp.Navigate(c.url+path), chromedp.WaitReady("footer"))
}

// says is the text of the view.
func (c *chromium) says(t *testing.T) string {
	t.Helper()
	return get(t, c, chromedp.Text("main"))
}

// looks are how a page is looked at.
var looks = []struct {
	name, scheme  string
	width, height int64
}{{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"phone", "light", 390, 844}}

// runAxe lists what somebody could not read, or not use.
const runAxe = `axe.run().then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join(" | ")))`

// check looks at a view in every way: nobody must be kept from reading it, and nothing may
// lie beside the screen.
func (c *chromium) check(t *testing.T, path string) {
	t.Helper()
	name := strings.Trim(regexp.MustCompile(`[^a-z]+`).ReplaceAllString(strings.SplitN(path, "id=", 2)[0], "-"), "-")
	if name == "" {
		name = "overview"
	}
	for _, look := range looks {
		_, err := chromedp.Call(c, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
		require.NoError(t, err)
		c.do(t, chromedp.EmulateViewport(look.width, look.height))
		c.open(t, path)
		picture := get(t, c, chromedp.FullScreenshot(100))
		c.do(t, chromedp.Evaluate[chromedp.Void](c.axe))
		violations := get(t, c, chromedp.Evaluate[[]string](runAxe, chromedp.EvalAwaitPromise))
		wide := get(t, c, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > window.innerWidth`))
		require.NoError(t, os.WriteFile(filepath.Join(pictures, fmt.Sprintf("%s-%s-%s.png", c.name, name, look.name)), picture, 0o644))
		assert.Empty(t, violations, "%s, %s", path, look.name)
		assert.False(t, wide, "%s, %s: wider than the screen", path, look.name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	assert.Empty(t, c.faults, path)
	c.faults = nil
}

// A real browser shows every view and does what can be done, in light, dark and on a phone:
// nothing leaves the origin, nothing is against the policy, and axe finds nothing.
func TestPageInABrowser(t *testing.T) {
	onPageSites(t, 60, 40, func(t *testing.T, s *pageSite) {
		s.exec(t, fmt.Sprintf(s.refuse, s.orphans[0]))
		s.exec(t, `UPDATE file SET filename = 'Quarterly report, a rather long name of a file that wraps.pdf', user_id = 'alice', meta = '{"size": 5000000}', data = '{"content": "It begins here."}' WHERE id = $1`, s.orphans[1])
		s.store(t, s.orphans[3], picture(t))
		d := s.start(t)
		c := browse(t, d.url(t), filepath.Base(t.Name()))
		c.check(t, "/signin")
		c.do(t, chromedp.SendKeys("#user", "Ann"), chromedp.SendKeys("#token", adminToken), chromedp.Submit("#token"), chromedp.WaitVisible("nav"))
		v := visit(t, d)
		v.signIn(t, "Ann")
		v.shows(t, "/", "Held")
		for _, path := range append(pageViews, "/unused?direction=row", "/file?id="+s.orphans[1], "/file?id="+s.used[0], showPath(s.orphans[1]), showPath(s.orphans[3])) {
			c.check(t, path)
		}
		c.open(t, "/live")
		c.do(t, chromedp.WaitVisible(chromedp.Search(`//*[@data-live-state and text()="live"]`)))
		require.Contains(t, c.says(t), "somebody signed in to the page")
		c.open(t, "/unused?direction=row")
		c.do(t, chromedp.Click(fmt.Sprintf(`a[href="%s"]`, showPath(s.orphans[3]))), chromedp.WaitVisible("img.preview"))
		require.Equal(t, 40, get(t, c, chromedp.Evaluate[int](`document.querySelector("img.preview").decode().then(() => document.querySelector("img.preview").naturalWidth)`, chromedp.EvalAwaitPromise)))
		c.open(t, "/unused")
		c.do(t, chromedp.SendKeys("#text", "Quarterly\r"), chromedp.WaitVisible(chromedp.Search(`//caption[starts-with(text(),"1 unused")]`)))

		c.open(t, "/file?id="+s.used[0])
		c.do(t, chromedp.SendKeys("#note", "audit"), chromedp.Click("form[action='/kept/add'] button"), chromedp.WaitVisible(".done"))
		c.check(t, "/kept")
		c.open(t, "/kept")
		c.do(t, chromedp.Click(`input[name=id]`), chromedp.Click("form[action='/kept/end'] button"), chromedp.WaitVisible(".done"))
		require.Contains(t, c.says(t), "1 file is kept no more.")

		c.open(t, "/held")
		id := get(t, c, chromedp.Value(`input[name=id]`))
		c.do(t, chromedp.Click(fmt.Sprintf(`input[name=go][value="row %s"]`, s.orphans[2])), chromedp.SendKeys(`input[name=typed]`, id), chromedp.Click("button.danger"), chromedp.WaitVisible(".done"))
		require.Contains(t, c.says(t), "39 files go now.")
		require.Eventually(t, func() bool { return s.count(t, `SELECT count(*) FROM file`) == 22 }, signalTimeout, 40*pollEvery)
		v.shows(t, "/dead", "poison")
		c.name += "-after"
		for _, path := range []string{"/", "/deleted", "/dead"} {
			c.check(t, path)
		}
		c.open(t, "/deleted?user=alice")
		c.do(t, chromedp.Click(`input[name=id]`), chromedp.Click("form[action='/deleted/restore'] button"), chromedp.WaitVisible(".done"))
		require.Contains(t, c.says(t), "1 file restored")
		require.EqualValues(t, 1, s.count(t, `SELECT count(*) FROM file WHERE id = $1`, s.orphans[1]))
		c.open(t, "/dead")
		c.do(t, chromedp.Click("td a[href^='/dead/show']"), chromedp.WaitVisible("pre"))
		require.Contains(t, c.says(t), s.orphans[0])
		c.open(t, "/dead")
		c.do(t, chromedp.Click(`input[name=name]`), chromedp.Click("form[action='/dead/redrive'] button"), chromedp.WaitVisible(".done"))
		c.do(t, chromedp.Click(".who button"), chromedp.WaitVisible("#token"))
		c.mu.Lock()
		defer c.mu.Unlock()
		require.Empty(t, c.faults)
	})
}

// Of fifty thousand files a view shows a page, and an export all.
func TestPageOfManyFiles(t *testing.T) {
	t.Parallel()
	const many = 50_000
	inserts := map[bool]string{
		true: `INSERT INTO file (id, user_id, filename, meta, data, path, created_at, updated_at)
			SELECT gen_random_uuid()::text, 'alice', 'file ' || n || '.pdf', json_build_object('size', n), '{}', '', 1000, 1000 FROM generate_series(1, %d) n`,
		false: `WITH RECURSIVE s (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < %d)
			INSERT INTO file (id, user_id, filename, meta, data, path, created_at, updated_at)
			SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21), 'alice', 'file ' || n || '.pdf', json_object('size', n), '{}', '', 1000, 1000
			  FROM (SELECT n, lower(hex(randomblob(16))) AS h FROM s)`,
	}
	onPageSites(t, 60, 10, func(t *testing.T, s *pageSite) {
		s.exec(t, fmt.Sprintf(inserts[strings.Contains(s.refuse, "plpgsql")], many))
		v := visit(t, s.start(t))
		v.signIn(t, "Ann")
		v.shows(t, "/held", "Held under")
		for _, path := range append(pageViews, "/unused?sort=name&text=file+4&user=Alice", "/unused?sort=due&page=1000", "/unused?sort=owner", "/unused?sort=age&page=99999") {
			if path == "/doctor?all=1" {
				continue // its sweep is no page's
			}
			began := time.Now()
			body := v.see(t, path)
			t.Logf("%s: %d bytes in %s", path, len(body), time.Since(began).Round(time.Millisecond))
		}
		require.Contains(t, v.see(t, "/unused"), "file 50000.pdf")
		require.Contains(t, v.see(t, "/unused"), "page 1 of 1,001")
		response, body := v.send(t, http.MethodGet, "/unused.csv?"+url.Values{"direction": {"row"}, "text": {"FILE "}}.Encode(), nil)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Equal(t, many+1, strings.Count(body, "\n"))
		response, body = v.send(t, http.MethodGet, "/unused.json?text=nothing", nil)
		require.Equal(t, "application/json", response.Header.Get("Content-Type"))
		require.Equal(t, "[]\n", body)
	})
}
