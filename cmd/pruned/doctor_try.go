package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// Doctor tries what the daemon does: that a part answers says little of what it
// does when it is asked to work.

// probeFindings has each stream store a message that nobody reads, which is removed
// again.
func probeFindings(ctx context.Context, a *app) []finding {
	if err := a.queue.Probe(ctx); err != nil {
		return []finding{{Check: "queue stores", Detail: err.Error()}}
	}
	return []finding{{Check: "queue stores", OK: true, Detail: "every stream that is there does"}}
}

// sweepFindings sweeps, and rolls back: a pass over the references, the candidates,
// a listing of each store. Before the first run there is nothing to sweep with, nor
// where the stores could not be opened.
func (r *doctorCmd) sweepFindings(ctx *runContext, a *app) []finding {
	if a.store == nil || a.blobs == nil {
		return nil
	}
	if _, err := a.db.ListHolds(ctx); repo.KindOf(err) == repo.Environment && err != nil {
		return nil // no tables of ours: told above
	}
	sweeper := ctx.newSweeper(a)
	sweeper.DryRun = true
	report, err := sweeper.Sweep(ctx, sweep.Options{})
	switch {
	case errors.Is(err, sweep.ErrSweeping):
		return []finding{{Check: "sweep", OK: true, Detail: "another process sweeps just now"}}
	case err != nil:
		return []finding{{Check: "sweep", Detail: "a dry sweep fails: " + oneLine(err)}}
	}
	found := []finding{{Check: "sweep", OK: true, Detail: "a dry sweep finds " + sweep.FormatCount(report.Totals.Orphans, "orphans") + " of " + sweep.FormatCount(report.Files, "files")}}
	found = append(found, folderFindings(report.Folders)...)
	return append(found, rowFindings(report.Rows)...)
}

// rowFindings tells of rows of the vector store that wait to be removed.
func rowFindings(r *sweep.Rows) []finding {
	if r == nil || r.Found+r.Records == 0 {
		return nil
	}
	f := finding{Check: "lost rows", OK: true, Detail: fmt.Sprintf("%d %s", r.Found, describeRows(*r)), Remedy: "pruned run removes them"}
	if r.Waits != "" {
		f.Warn = true
		f.Remedy = "see that the vector store's file is whole; PRUNED_MAX_FRACTION=1 pruned sweep removes them"
	}
	return []finding{f}
}

// folderFindings tells of folders that wait to be removed.
func folderFindings(f sweep.Folders) (found []finding) {
	if f.Found > 0 {
		found = append(found, finding{Check: "folders", OK: true, Detail: fmt.Sprintf("%d: %s", f.Found, describeFolders(sweep.Folders{Bytes: f.Bytes})),
			Remedy: "pruned run removes them, unless a sweep holds them"})
	}
	if f.Failed > 0 {
		found = append(found, finding{Check: "folders", OK: true, Warn: true, Detail: fmt.Sprintf("%d that collections left cannot be looked into", f.Failed),
			Remedy: "see that this user may read and write all of vector_db"})
	}
	return found
}

// daemonTimeout is how long a daemon may take to say how it is.
const daemonTimeout = 5 * time.Second

// maxAnswer is more than a daemon answers, /metrics included.
const maxAnswer = 1 << 20

// daemonFindings asks the daemon of this installation that listens on this machine,
// if one does: what fails in it for good nobody else can see.
func daemonFindings(ctx context.Context, c *command, a *app) []finding {
	address, known := c.daemonAddress()
	if !known {
		return nil
	}
	status, body, whose, err := askDaemon(ctx, address+"/readyz")
	switch {
	case err != nil:
		return []finding{{Check: "daemon", OK: true, Detail: "none answers on " + c.cli.HTTP.Listen}}
	case whose != hashIdentity(a.db.Identity().Key):
		return []finding{{Check: "daemon", OK: true, Detail: "another installation's, or none, answers on " + c.cli.HTTP.Listen}}
	case status != http.StatusOK:
		return []finding{{Check: "daemon", Detail: "not ready: " + whyNot(body).Error()}}
	}
	return []finding{{Check: "daemon", OK: true, Detail: "ready"}}
}

func askDaemon(ctx context.Context, url string) (status int, body, whose string, err error) {
	ctx, cancel := context.WithTimeout(ctx, daemonTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, string(text), response.Header.Get(identityHeader), err
}
