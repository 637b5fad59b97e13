package main

import (
	"context"
	"errors"
	"fmt"

	"pruned/config"
	"pruned/repo"
	"pruned/repo/blobs/bucket"
)

type doctorCmd struct {
	Quick  bool   `help:"Only whether database, stores and queue answer, the role may read what it must, the queue stores, and the daemon that runs here is ready: for a health check." xor:"part"`
	Grants string `placeholder:"ROLE" help:"Only print the least that a role of the database has to be granted." xor:"part"`
	NATS   bool   `name:"nats-permissions" help:"Only print the least that a user of the NATS server has to be permitted." xor:"part"`
}

// finding is one line of the doctor's.
type finding = repo.Finding

var errUnwell = errors.New("not everything is well")

// runMakesIt is what to do about what is missing before the first start.
const runMakesIt = "pruned run makes it"

// Run looks at everything, the rest too where something is wrong. It makes and
// changes nothing.
func (r *doctorCmd) Run(ctx *runContext) error {
	if r.NATS {
		return r.printPermissions(ctx)
	}
	if r.Grants != "" {
		return ctx.runWith(ctx, func(a *app) error { return r.printGrants(ctx, a) }, openDatabase)
	}
	return ctx.runWith(ctx, func(a *app) error {
		findings := r.checkAll(ctx, a, opened{openDatabase, openVectorStore, openByteStore, openFoundQueue})
		ok := true
		for _, f := range findings {
			ok = ok && f.OK
		}
		if err := r.printFindings(ctx, findings, ok); err != nil || ok {
			return err
		}
		return errUnwell
	})
}

// granter is an engine whose database has roles.
type granter interface {
	Grants(ctx context.Context, role string) ([]string, error)
	Privileges(ctx context.Context) ([]repo.Finding, error)
}

var errNoRoles = &config.UsageError{Err: errors.New("--grants: this database has no roles")}

// printGrants prints statements, one a line.
func (r *doctorCmd) printGrants(ctx *runContext, a *app) error {
	db, ok := a.db.Admin.(granter)
	if !ok {
		return errNoRoles
	}
	list, err := db.Grants(ctx, r.Grants)
	if err != nil {
		return err
	}
	if ctx.isJSON() {
		return ctx.printObject(list)
	}
	for _, statement := range list {
		fmt.Fprintln(ctx.stdout, statement)
	}
	return nil
}

func (r *doctorCmd) printFindings(ctx *runContext, findings []finding, ok bool) error {
	if ctx.isJSON() {
		return ctx.printObject(map[string]any{"ok": ok, "checks": findings})
	}
	return ctx.printTable(func(line func(...any)) {
		for _, f := range findings {
			line(verdictOf(f), f.Check, f.Detail)
			if f.Remedy != "" {
				line("", "", "-> "+f.Remedy)
			}
		}
	})
}

func verdictOf(f finding) string {
	switch {
	case !f.OK:
		return "WRONG"
	case f.Warn:
		return "WARN"
	}
	return "ok"
}

// opened are what opens each part, or looks whether one that is open can be used.
type opened struct{ database, vectors, uploads, queue component }

func (r *doctorCmd) checkAll(ctx *runContext, a *app, parts opened) (found []finding) {
	check := func(name, well string, open component) bool {
		f := finding{Check: name, OK: true, Detail: well}
		err := open(ctx, ctx.command, a)
		if err != nil {
			f.OK, f.Detail = false, err.Error()
		}
		if errors.Is(err, errNotThere) {
			f.OK, f.Remedy = true, runMakesIt
		}
		found = append(found, f)
		return err == nil
	}
	if !check("database", "answers", parts.database) {
		return found
	}
	if r.Quick {
		found = append(found, privilegeFindings(ctx, a)...)
	} else {
		found = append(found, r.databaseFindings(ctx, a)...)
		found = append(found, elsewhereFindings(a)...)
		found = append(found, unsearchableFindings(ctx, a)...)
	}
	check("vectors", "answers", parts.vectors)
	if check("uploads", "", parts.uploads) {
		found[len(found)-1].Detail = placeOf(a.blobs.Info()) + " can be read and written"
	}
	if !r.Quick {
		found = append(found, bucketFindings(ctx, a)...)
		found = append(found, r.diskFindings(ctx, a)...)
		found = append(append(found, unreadableFindings(ctx, a)...), namelessFindings(ctx, a)...)
		found = append(found, r.workFindings(ctx, a)...)
		found = append(found, cacheFindings(ctx, ctx.command, a)...)
		found = append(found, danglingFindings(ctx, ctx.command, a)...)
		found = append(found, r.webhookFindings(ctx, a)...)
		found = append(found, r.sweepFindings(ctx, a)...)
	}
	if check("queue", "answers", parts.queue) {
		found = append(found, probeFindings(ctx, a)...)
		if !r.Quick {
			found = append(found, r.queueFindings(ctx, a)...)
		}
	}
	return append(found, daemonFindings(ctx, ctx.command, a)...)
}

// bucketFindings tells what removed means in a bucket.
func bucketFindings(ctx context.Context, a *app) []finding {
	if store, is := a.blobs.(*bucket.Store); is {
		return store.Describe(ctx)
	}
	return nil
}

// privilegeFindings tells what a role may not that no sweep succeeds without. It asks
// catalogs alone, also where no daemon answers that could tell of its sweeps.
func privilegeFindings(ctx context.Context, a *app) []finding {
	db, ok := a.db.Admin.(granter)
	if !ok {
		return nil
	}
	found, err := db.Privileges(ctx)
	if err != nil {
		return []finding{{Check: "privileges", Detail: err.Error()}}
	}
	return found
}

func (r *doctorCmd) databaseFindings(ctx *runContext, a *app) []finding {
	found, err := a.db.CheckDatabase(ctx)
	if err != nil {
		found = append(found, finding{Check: "database", Detail: err.Error()})
	}
	return found
}
