package main

import (
	"context"

	"pruned/consumer"
	"pruned/consumer/notify"
)

// newNotifier makes what tells PRUNED_NOTIFY_URL; nil where nobody is to be told. A dry run
// holds nothing, and makes no dead letters.
func (c *command) newNotifier(a *app, observe func(error)) *notify.Notifier {
	settings := c.cli.Notify
	if settings.URL == "" || c.cli.Consumer.DryRun {
		return nil
	}
	receiver := notify.Receiver{URL: settings.URL, Secret: settings.Secret, Source: "/pruned/" + hashIdentity(a.db.Identity().Key)}
	return notify.NewNotifier(receiver, a.log, observe)
}

// startNotifier tells what a person should know, beside everything else: nothing waits for
// the receiver.
func startNotifier(rest *tasks, a *app, n *notify.Notifier) {
	if n == nil {
		return
	}
	rest.Go(func(ctx context.Context) { n.RunHolds(ctx, a.db.ListHolds) })
	rest.Go(func(ctx context.Context) {
		a.queue.WatchDeadLetters(ctx, a.log, func(ctx context.Context, d consumer.DeadLetter) error {
			return n.TellLetter(ctx, notify.Letter{
				Name: d.Name, Kind: d.Kind, Subject: d.FileID, SQLState: d.SQLState, Deliveries: d.Deliveries, At: d.At,
			})
		})
	})
}
