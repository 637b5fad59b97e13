package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"pruned/consumer"
)

func (r *doctorCmd) queueFindings(ctx *runContext, a *app) []finding {
	found := []finding{{Check: "NATS", OK: true, Detail: "version " + a.queue.Server()}}
	streams, err := a.queue.Streams(ctx)
	complete := err == nil
	for _, s := range streams {
		found = append(found, streamFinding(s))
		complete = complete && !s.Missing
	}
	if err != nil {
		found = append(found, finding{Check: "stream", Detail: err.Error()})
	}
	if complete {
		found = append(found, r.eventFinding(ctx, a), r.workFinding(ctx, a), r.deadLetterFinding(ctx, a))
	}
	if !a.queue.Schedules() {
		found = append(found, finding{Check: "schedules", OK: true, Detail: "this NATS server has none: an event that is too young is not repeated",
			Remedy: "use nats-server 2.12 or later"})
	}
	return found
}

func (r *doctorCmd) eventFinding(ctx *runContext, a *app) finding {
	backlog, err := a.queue.Backlog(ctx)
	if err != nil {
		return finding{Check: "events", Detail: err.Error()}
	}
	return finding{Check: "events", OK: true, Detail: fmt.Sprintf("%s: %d pending, %d unacked", a.queue.Name(), backlog.Pending, backlog.Unacked)}
}

// workFinding tells what people said about the work.
func (r *doctorCmd) workFinding(ctx *runContext, a *app) finding {
	control, err := a.queue.ReadControl(ctx)
	if err != nil {
		return finding{Check: "work", Detail: err.Error()}
	}
	f := finding{Check: "work", OK: true, Warn: control.Paused != nil, Detail: control.Describe(ctx.cli.Consumer.Rate)}
	if f.Warn {
		f.Remedy = "pruned resume"
	}
	return f
}

// nearlyFull is the part of a stream's limit from which on it should be noticed.
const nearlyFull = 0.8

func streamFinding(s consumer.StreamState) finding {
	if s.Missing {
		return finding{Check: "stream", OK: true, Detail: s.Name + ": " + errNotThere.Error(), Remedy: runMakesIt}
	}
	f := finding{Check: "stream", OK: true, Detail: fmt.Sprintf("%s: %d messages, %s, replicas %d", s.Name, s.Messages, humanize.IBytes(s.Bytes), s.Replicas)}
	if s.MaxBytes > 0 {
		f.Detail += " of at most " + humanize.IBytes(uint64(s.MaxBytes))
		if float64(s.Bytes) > nearlyFull*float64(s.MaxBytes) {
			f.Remedy = "raise PRUNED_MAX_BYTES: a full stream refuses events"
		}
	}
	if len(s.Differs) > 0 {
		f.OK = false
		f.Detail += "; it is not as pruned makes it: " + strings.Join(s.Differs, ", ")
		f.Remedy = "change that back, or delete the stream: pruned makes it anew"
	}
	return f
}

func (r *doctorCmd) deadLetterFinding(ctx *runContext, a *app) finding {
	letters := 0
	for _, err := range a.queue.DeadLetters(ctx) {
		if err != nil {
			return finding{Check: "dead letters", Detail: err.Error()}
		}
		letters++
	}
	f := finding{Check: "dead letters", OK: true, Detail: fmt.Sprint(letters)}
	if letters > 0 {
		f.Remedy = "pruned dead list tells why"
	}
	return f
}

// printPermissions prints them as the server's settings have them, of which JSON is a part.
func (r *doctorCmd) printPermissions(ctx *runContext) error {
	permissions, err := consumer.PermissionsOf(ctx.cli.Queue.Stream)
	if err != nil {
		return err
	}
	if ctx.isJSON() {
		return ctx.printObject(permissions)
	}
	text, err := json.MarshalIndent(permissions, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(ctx.stdout, "permissions: %s\n", text)
	return err
}
