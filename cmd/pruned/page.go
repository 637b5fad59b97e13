package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"pruned/cmd/pruned/page"
	"pruned/repo"
)

// newPage makes the page of a daemon, or nil without PRUNED_ADMIN_TOKEN.
func (c *command) newPage(ctx context.Context, d *service) http.Handler {
	settings := c.cli.HTTP
	if settings.AdminToken == "" {
		return nil
	}
	return page.New(ctx, page.Options{
		Token: string(settings.AdminToken), Proxies: settings.ProxyPrefixes(), OpenWebUI: c.cli.OpenWebUI.URL, Version: version,
		DryRun: c.cli.Consumer.DryRun, Commands: pageCommands{c, d}, Open: func() (*page.Open, error) { return c.openForPage(d) },
		Unwell: d.whyUnready, Figures: d.metrics.Figures, Log: c.newLogger(), Recent: c.recent,
	})
}

// openForPage is what the daemon has open just now, or why that is nothing.
func (c *command) openForPage(d *service) (*page.Open, error) {
	w, why, _ := d.currentWork()
	if w == nil {
		return nil, why
	}
	return &page.Open{
		DB: w.app.db, Queue: w.app.queue, Control: w.app.control, Rate: c.cli.Consumer.Rate, Vectors: w.app.store.Info().Name, Blobs: w.app.blobs, Sweeps: w.sweeps, Executor: w.executor,
		Ages: c.fileAges(), BytesDelay: c.cli.Consumer.BytesDelay,
	}, nil
}

// pageCommands answers as the commands do, with what the daemon has open.
type pageCommands struct {
	*command
	service *service
}

// openApp is what the daemon has open, for a command that closes nothing of it.
func (p pageCommands) openApp(ctx context.Context) (*runContext, *app, error) {
	w, why, _ := p.service.currentWork()
	if w == nil {
		return nil, nil, why
	}
	a := *w.app
	a.closers = nil
	return &runContext{ctx, p.command}, &a, nil
}

// Explain explains one file.
func (p pageCommands) Explain(ctx context.Context, id string) (page.Explanation, error) {
	run, a, err := p.openApp(ctx)
	if err != nil {
		return page.Explanation{}, err
	}
	if err := a.db.IndexFiles(ctx, []string{id}, nil); err != nil {
		return page.Explanation{}, err
	}
	e, err := (&explainCmd{subjectFlag{"file"}, id}).explainFile(run, a)
	if err != nil {
		return page.Explanation{}, err
	}
	return page.Explanation{ID: e.ID, Name: e.Filename, Known: e.Verdict != unknownVerdict, Facts: e.listFacts()}, nil
}

// Examine looks at everything that a daemon has open, and whether it can be used.
func (p pageCommands) Examine(ctx context.Context, quick bool) ([]repo.Finding, error) {
	run, a, err := p.openApp(ctx)
	if err != nil {
		return nil, err
	}
	isOpen := func(context.Context, *command, *app) error { return nil }
	return (&doctorCmd{Quick: quick}).checkAll(run, a, opened{
		database: isOpen, queue: isOpen,
		vectors: func(ctx context.Context, _ *command, a *app) error { return a.store.Check(ctx) },
		uploads: func(ctx context.Context, _ *command, a *app) error { return a.blobs.Check(ctx) },
	}), nil
}

// Keep keeps one file.
func (p pageCommands) Keep(ctx context.Context, id string, lasts time.Duration, note string) (refused string, err error) {
	how := keepFlags{For: span(lasts), Note: note}
	if err := errors.Join(how.check(), checkIDs([]string{id})); err != nil {
		return "", page.BlameRequest(err)
	}
	_, a, err := p.openApp(ctx)
	if err != nil {
		return "", err
	}
	file, err := a.keepFile(ctx, id, how)
	return file.Refused, err
}

// Settings lists the settings as they hold.
func (p pageCommands) Settings() (list []page.Setting) {
	for _, s := range listShown(p.service.settings) {
		list = append(list, page.Setting{Group: s.group, Name: s.Name, Value: s.describeValue(), From: s.describeSource()})
	}
	return list
}
