package main

import (
	"context"
	"fmt"
	"strings"

	"pruned/consumer"
)

// service is what PRUNED_HTTP tells of.
type service struct {
	consumer *consumer.Consumer
	sweeps   *consumer.Sweeps
}

// listen serves health and, where there is a token for it, the webhook.
func (c *command) listen(ctx context.Context, p *parts, d *service) (stop func() error, err error) {
	hook, err := receiver(c, p)
	if err != nil {
		return nil, err
	}
	address, stop, err := serve(ctx, c.cli.HTTP.Listen, routes(d.healthy, d.ready, hook), p.log)
	if err != nil {
		return nil, err
	}
	p.log.Info().Stringer("address", address).Bool("webhook", hook != nil).Msg("listening")
	return stop, nil
}

// healthy is a process that answers. What is held needs a person, no restart.
func (d *service) healthy(context.Context) (string, error) { return d.notes(), nil }

// ready is a process that handles claims.
func (d *service) ready(context.Context) (string, error) { return d.notes(), d.consumer.State() }

// notes are what a person should know, a line each.
func (d *service) notes() string {
	state := d.sweeps.State()
	var notes strings.Builder
	if state.Err != nil {
		fmt.Fprintf(&notes, "the last sweep failed: %v\n", state.Err)
	}
	for _, hold := range state.Report.Holds {
		fmt.Fprintf(&notes, "held: %s of %s: %s; `pruned sweep --confirm %s` lets it go\n", hold.Direction, hold.Store, hold.Reason, hold.ID)
	}
	return notes.String()
}
