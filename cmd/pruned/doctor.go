package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pruned/repo/postgres"
)

type doctorCmd struct {
	Quick bool `help:"Only whether the database and the queue answer: for a health check."`
}

// finding is one line of the doctor's.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Do     string `json:"do,omitempty"` // what to do about it
}

var errUnwell = errors.New("not everything is well")

// Run looks at everything, the rest too where something is wrong.
func (r *doctorCmd) Run(ctx *runContext) error {
	return ctx.with(ctx, func(p *parts) error {
		findings := r.examine(ctx, p)
		ok := true
		for _, f := range findings {
			ok = ok && f.OK
		}
		if err := r.print(ctx, findings, ok); err != nil || ok {
			return err
		}
		return errUnwell
	})
}

func (r *doctorCmd) print(ctx *runContext, findings []finding, ok bool) error {
	if ctx.json() {
		return ctx.object(map[string]any{"ok": ok, "checks": findings})
	}
	return ctx.table(func(line func(...any)) {
		for _, f := range findings {
			line(map[bool]string{true: "ok", false: "WRONG"}[f.OK], f.Check, f.Detail)
			if f.Do != "" {
				line("", "", "-> "+f.Do)
			}
		}
	})
}

func (r *doctorCmd) examine(ctx *runContext, p *parts) (found []finding) {
	check := func(name string, maker func(context.Context, *command, *parts) error) bool {
		err := maker(ctx, ctx.command, p)
		f := finding{Check: name, OK: err == nil, Detail: "answers"}
		if err != nil {
			f.Detail = err.Error()
		}
		found = append(found, f)
		return f.OK
	}
	if !check("database", database) {
		return found
	}
	if !r.Quick {
		found = append(found, r.databaseFindings(ctx, p)...)
		check("vectors", vectorStore)
		check("uploads", uploads)
	}
	if check("queue", sharedQueue) && !r.Quick {
		found = append(found, r.queueFindings(ctx, p)...)
	}
	return found
}

func (r *doctorCmd) databaseFindings(ctx *runContext, p *parts) []finding {
	h, err := p.db.Examine(ctx)
	if err != nil {
		return []finding{{Check: "database", Detail: err.Error()}}
	}
	identity := p.db.Identity()
	return []finding{
		{Check: "versions", OK: true, Detail: fmt.Sprintf("PostgreSQL %s, database %s, schema %s, Open WebUI revision %s", h.Version, identity.Name, identity.Schema, h.Revision)},
		privileges(h),
		foreignKeys(h),
		index(h.Index),
		{Check: "tombstones", OK: true, Detail: tombstones(h)},
	}
}

func privileges(h postgres.Health) finding {
	if len(h.Missing) == 0 {
		return finding{Check: "privileges", OK: true, Detail: "role " + h.Role + " may read every table and delete files"}
	}
	return finding{Check: "privileges", Detail: fmt.Sprintf("role %s lacks %d; nothing is deleted while a table cannot be read", h.Role, len(h.Missing)),
		Do: strings.Join(h.Missing, " ")}
}

// foreignKeys that are missing cost safety nothing: their tables are searched
// like any other.
func foreignKeys(h postgres.Health) finding {
	if len(h.MissingForeignKeys) == 0 {
		return finding{Check: "foreign keys", OK: true, Detail: "every link table has its own to table file"}
	}
	tables := strings.Join(h.MissingForeignKeys, ", ")
	return finding{Check: "foreign keys", Detail: "missing to table file on " + tables + ": a file that is attached at the very moment of its deletion is only noticed by the last look",
		Do: "add FOREIGN KEY (file_id) REFERENCES file (id) ON DELETE CASCADE to " + tables}
}

func index(h postgres.IndexHealth) finding {
	switch {
	case !h.Made:
		return finding{Check: "reference index", OK: true, Detail: "not built yet", Do: "pruned run builds it"}
	case len(h.Unread) > 0:
		return finding{Check: "reference index", Detail: "incomplete, so that nothing is deleted: not read yet are " + strings.Join(h.Unread, ", "),
			Do: "pruned run completes it"}
	}
	return finding{Check: "reference index", OK: true, Detail: fmt.Sprintf("%d files, %d references, last brought up to date %s ago",
		h.Files, h.References, h.PassedAgo.Round(time.Second))}
}

func tombstones(h postgres.Health) string {
	if h.Tombstones == 0 {
		return "none waits"
	}
	if h.DueIn < 0 {
		return fmt.Sprintf("%d wait, the first is overdue by %s", h.Tombstones, -h.DueIn.Round(time.Second))
	}
	return fmt.Sprintf("%d wait, the first is due in %s", h.Tombstones, h.DueIn.Round(time.Second))
}

func (r *doctorCmd) queueFindings(ctx *runContext, p *parts) []finding {
	backlog, err := p.queue.Backlog(ctx)
	if err != nil {
		return []finding{{Check: "stream", Detail: err.Error()}}
	}
	found := []finding{{Check: "stream", OK: true, Detail: fmt.Sprintf("%s: %d claims pending, %d unacked", p.queue.Name(), backlog.Pending, backlog.Unacked)}}
	if !p.queue.Schedules() {
		found = append(found, finding{Check: "schedules", OK: true, Detail: "this NATS server has none: a claim that is too young is not repeated",
			Do: "use nats-server 2.12 or later"})
	}
	letters := 0
	for _, err := range p.queue.Dead(ctx) {
		if err != nil {
			return append(found, finding{Check: "dead letters", Detail: err.Error()})
		}
		letters++
	}
	f := finding{Check: "dead letters", OK: true, Detail: fmt.Sprint(letters)}
	if letters > 0 {
		f.Do = "pruned dead list tells why"
	}
	return append(found, f)
}
