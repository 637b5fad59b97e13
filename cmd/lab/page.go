package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"pruned/repo/testenv"
)

const (
	pageUnused = 50_000
	pageInUse  = 500
	pageToken  = "a-token-for-the-lab"
)

// pageViews are the views of the page that list or count much, with what they are about as
// one would ask for it by hand.
var pageViews = []struct{ path, query string }{
	{"/", `SELECT (SELECT count(*) FROM file), (SELECT count(*) FROM {own}candidate), (SELECT sum(size) FROM {own}candidate), (SELECT min(first_seen) FROM {own}candidate),
		(SELECT count(*) FROM {own}ledger), (SELECT count(*) FROM {own}trash), (SELECT count(*) FROM {own}tombstone)`},
	{"/unused", handListed("c.size DESC")},
	{"/unused?sort=age", handListed("f.created_at")},
	{"/unused?sort=name", handListed("lower(f.filename)")},
	{"/unused?sort=due", handListed("c.first_seen")},
	{"/unused?sort=owner", handListed(`lower(coalesce((SELECT u.name FROM "user" u WHERE u.id = f.user_id), f.user_id))`)},
	{"/held", handListed("c.size DESC")},
	{"/deleted", `SELECT * FROM {own}ledger ORDER BY seq DESC LIMIT 50`},
	{"/kept", `SELECT * FROM {own}keep ORDER BY made_at DESC LIMIT 50`},
	{"/live", ""}, {"/dead", ""}, {"/doctor", ""}, {"/settings", ""}, {"/file", ""},
}

// handListed lists fifty of what is unused, and counts it.
func handListed(order string) string {
	return `SELECT c.file_id, f.filename, f.user_id, c.size, (SELECT count(*) FROM {own}candidate c JOIN file f ON f.id = c.file_id)
	  FROM {own}candidate c JOIN file f ON f.id = c.file_id WHERE c.direction = 'row' ORDER BY ` + order + ` LIMIT 50`
}

// measurePage measures how long the server takes for the views of the page, beside the same
// lists by hand, in turns.
func (b *bench) measurePage(ctx context.Context) error {
	o := testenv.SeedOptions{Files: (pageUnused + pageInUse) / b.shrink, Orphans: pageUnused / b.shrink}
	w, err := b.seedWorld(ctx, o, false)
	if err != nil {
		return err
	}
	if err := w.measurePage(ctx, "PostgreSQL", "pgx", w.url, "pruned.", b.rounds); err != nil {
		return err
	}
	f, err := b.seedRowsFolder(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(f.measurePage(ctx, "SQLite", "sqlite", f.webui(), "pruned_", b.rounds), w.dropWorld(ctx), os.RemoveAll(f.dir))
}

func (i *installation) measurePage(ctx context.Context, engine, driver, database, own string, rounds int) (err error) {
	db, err := sql.Open(driver, database)
	if err != nil {
		return err
	}
	v, stop, err := i.openPage(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { err = errors.Join(err, stop(), db.Close()) }()
	var rows [][]string
	for _, view := range pageViews {
		query := strings.ReplaceAll(view.query, "{own}", own)
		var views, used, hands []float64 // ms
		var size int
		for range 2*rounds + 1 {
			before, start := v.readCPU(), time.Now()
			body, err := v.get(ctx, view.path)
			if err != nil {
				return err
			}
			views, used, size = append(views, milliseconds(start)), append(used, v.readCPU()-before), len(body)
			if query == "" {
				continue
			}
			start = time.Now()
			if err := readAll(ctx, db, query); err != nil {
				return fmt.Errorf("%s: %w", query, err)
			}
			hands = append(hands, milliseconds(start))
		}
		hand, ratio := "", ""
		if query != "" {
			hand, ratio = fmt.Sprintf("%.1f", median(hands)), fmt.Sprintf("%.1f", median(ratios(views, hands)))
		}
		rows = append(rows, []string{view.path, fmt.Sprintf("%.1f", median(views)), fmt.Sprintf("%.1f", median(used)), hand, ratio, fmt.Sprintf("%.1f", float64(size)/1000)})
	}
	return printTable(fmt.Sprintf("Page: %d unused files, held, of %d, %s; medians of %d", len(i.Orphans), len(i.Orphans)+len(i.InUse), engine, 2*rounds+1),
		[]string{"view", "ms", "CPU-ms of pruned", "ms by SQL alone", "ratio", "kB"}, rows)
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func readAll(ctx context.Context, db *sql.DB, query string) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// labBrowser is somebody who is signed in.
type labBrowser struct {
	url    string
	client http.Client
	pid    int // of the program
}

// readCPU is how long the threads of the program have worked, in ms.
func (v *labBrowser) readCPU() (ms float64) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", v.pid)) // the pattern is right
	for _, path := range threads {
		var ns float64
		text, _ := os.ReadFile(path) // one that has ended works no more
		_, _ = fmt.Sscan(string(text), &ns)
		ms += ns / 1e6
	}
	return ms
}

func (v *labBrowser) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, nil)
	if err != nil {
		return "", err
	}
	return v.do(request)
}

var errNotReady = errors.New("the program is not ready")

func (v *labBrowser) do(request *http.Request) (string, error) {
	request.Header.Set("Accept", "text/html")
	response, err := v.client.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
	case response.StatusCode == http.StatusServiceUnavailable:
		err = errNotReady
	case response.StatusCode != http.StatusOK:
		err = fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	return string(body), errors.Join(err, response.Body.Close())
}

var listening = regexp.MustCompile(`"address":"([^"]+)"`)

// openPage starts the program, signs in, and waits until a sweep has found all and holds it.
func (i *installation) openPage(ctx context.Context) (v *labBrowser, stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, i.binary, "run")
	cmd.Env = append(i.environment(), "PRUNED_HTTP=127.0.0.1:0", "PRUNED_ADMIN_TOKEN="+pageToken, "PRUNED_LOG_LEVEL=info", "PRUNED_LOG_FORMAT=json")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	log, logged, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, nil, err
	}
	cmd.Stderr = logged
	err = errors.Join(cmd.Start(), logged.Close())
	lines := bufio.NewScanner(log)
	v = &labBrowser{}
	v.client.Jar, _ = cookiejar.New(nil) // it never fails
	for err == nil && v.url == "" && lines.Scan() {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			v.url = "http://" + match[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // until the program ends
	stop = func() error {
		cancel()
		err := cmd.Wait()
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		return errors.Join(err, log.Close())
	}
	if err == nil {
		v.pid = cmd.Process.Pid
		err = v.awaitHold(ctx)
	}
	if err != nil {
		err = errors.Join(err, stop())
	}
	return v, stop, err
}

// awaitHold asks again for as long as the program is not ready, or has not swept.
func (v *labBrowser) awaitHold(ctx context.Context) error {
	ticks := time.NewTicker(time.Second) // signing in more often is refused
	defer ticks.Stop()
	for ask := v.signIn; ; {
		body, err := ask(ctx, "/held")
		if err != nil && !errors.Is(err, errNotReady) || strings.Contains(body, "Held under") {
			return err
		}
		if err == nil {
			ask = v.get
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (v *labBrowser) signIn(ctx context.Context, next string) (string, error) {
	form := url.Values{"token": {pageToken}, "user": {"lab"}, "next": {next}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+"/signin", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(request)
}
