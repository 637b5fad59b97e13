package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// queueFaults are those of JetStream.
func queueFaults() []fault {
	return []fault{
		{
			name:    "NATS killed and started again",
			provoke: killNodes(1), unready: "nats", lift: undoAll, logged: "the queue answers again",
		},
		{
			name:    "NATS frozen",
			provoke: freezeNode, unready: "nats", lift: undoAll,
		},
		{
			name:    "store of the queue full",
			provoke: fillStream, lift: undoAll,
		},
		{
			name:    "consumer deleted",
			provoke: deleteConsumer, logged: "the consumer was deleted",
		},
		{
			name:    "consumer paused",
			provoke: pauseConsumer, unready: "it is paused", lift: resumeConsumer, logged: "no longer paused",
		},
		{
			name:    "stream of events deleted",
			provoke: deleteStream, lift: passAnHour, logged: "the stream was deleted, making it again",
		},
		{
			name: "three servers of NATS: the leader killed", nodes: 3,
			provoke: killNodes(1), lift: undoAll,
		},
		{
			name: "three servers of NATS: the leader frozen", nodes: 3, // as where the others' network to it is silent
			provoke: freezeNode, lasts: 15 * time.Second, lift: undoAll,
		},
		{
			name: "three servers of NATS: two killed", nodes: 3,
			provoke: killNodes(2), unready: "nats", lift: undoAll,
		},
	}
}

// leadingNode is the server that leads the stream of events.
func (r *ruin) leadingNode(ctx context.Context) (n *node, err error) {
	if len(r.queue.nodes) == 1 {
		return r.queue.nodes[0], nil
	}
	err = await(ctx, limit, func() (err error) { n, err = r.queue.leader(ctx); return err })
	return n, err
}

// killNodes kills the leader first.
func killNodes(n int) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) error {
		for range n {
			victim, err := r.leadingNode(ctx)
			if err != nil {
				return err
			}
			if err := victim.kill(); err != nil {
				return err
			}
			r.later(func(context.Context) error { return victim.start() })
		}
		return nil
	}
}

func freezeNode(ctx context.Context, r *ruin) error {
	victim, err := r.leadingNode(ctx)
	if err != nil {
		return err
	}
	r.later(func(context.Context) error { return victim.thaw() })
	return victim.freeze()
}

// fillStream leaves no room for another event.
func fillStream(ctx context.Context, r *ruin) error {
	s, err := r.queue.js.Stream(ctx, eventStream)
	if err != nil {
		return err
	}
	info := s.CachedInfo()
	set := func(maxBytes int64) error {
		cfg := info.Config
		cfg.MaxBytes = maxBytes
		_, err := r.queue.js.UpdateStream(ctx, cfg)
		return err
	}
	r.later(func(context.Context) error { return set(info.Config.MaxBytes) })
	return set(int64(info.State.Bytes))
}

func deleteConsumer(ctx context.Context, r *ruin) error {
	return r.queue.js.DeleteConsumer(ctx, eventStream, eventConsumer)
}

func pauseConsumer(ctx context.Context, r *ruin) error {
	_, err := r.queue.js.PauseConsumer(ctx, eventStream, eventConsumer, time.Now().Add(time.Hour))
	return err
}

func resumeConsumer(ctx context.Context, r *ruin) error {
	_, err := r.queue.js.ResumeConsumer(ctx, eventStream, eventConsumer)
	return err
}

func deleteStream(ctx context.Context, r *ruin) error {
	return r.queue.js.DeleteStream(ctx, eventStream)
}

// passAnHour sets back when orphans were published, as if an hour had passed: sweeps publish
// them again then.
func passAnHour(ctx context.Context, r *ruin) error {
	return r.world.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `UPDATE pruned.candidate SET claimed_at = claimed_at - interval '2 hours'`)
		return err
	})
}
