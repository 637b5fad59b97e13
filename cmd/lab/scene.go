package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pruned/repo/testenv"
)

// scene is an installation on PostgreSQL with a queue of its own, and daemons, each behind a
// network; or one on SQLite, with its queue in its daemon and no network.
type scene struct {
	*promises
	world    *world // nil on SQLite, as queue and network
	queue    *queue
	network  *network // of what is no daemon
	networks []*network
	daemons  []*replica
}

// slowly has the work take as long as a fault needs to come in the midst of it.
var slowly = []string{"PRUNED_BATCH=20", "PRUNED_SWEEP_EVERY=5s", "PRUNED_MAX_FRACTION=1"}

// limit is how long anything may take that ends by itself.
const limit = 2 * time.Minute

// openScene makes an installation without a daemon.
func (l *lab) openScene(ctx context.Context, files, orphans, nodes int) (s *scene, err error) {
	s = &scene{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	s.world, err = l.seedWorld(ctx, testenv.SeedOptions{Files: files, Orphans: orphans, ChunksPerFile: 2, Vectors: testenv.VectorOptions{Dim: 8}}, true)
	if err != nil {
		return s, err
	}
	if s.queue, err = l.startQueue(ctx, nodes); err != nil {
		return s, err
	}
	if s.network, err = s.openNetwork(); err != nil {
		return s, err
	}
	s.world.stores = append(s.world.stores, s.network.settings(s.world.database)...)
	s.promises, err = newPromises(ctx, s.world.installation, s.world)
	return s, err
}

// openFolder makes an installation on SQLite without a daemon.
func (l *lab) openFolder(ctx context.Context, files, orphans int) (*scene, error) {
	f, err := l.seedFolder(ctx, folderSeed{
		SeedOptions: testenv.SeedOptions{Files: files, Orphans: orphans, ChunksPerFile: chunksPerFile, Vectors: testenv.VectorOptions{Dim: 8}}, words: fewWords,
	})
	if err != nil {
		return nil, err
	}
	p, err := newPromises(ctx, f.installation, f)
	return &scene{promises: p}, err
}

func (s *scene) openNetwork() (*network, error) {
	n, err := openNetwork(s.world.server.Address(), s.queue)
	if err == nil {
		s.networks = append(s.networks, n)
	}
	return n, err
}

// close ends everything.
func (s *scene) close() (err error) {
	for _, d := range s.daemons {
		err = errors.Join(err, d.kill())
	}
	if s.queue != nil {
		err = errors.Join(err, s.queue.close())
	}
	for _, n := range s.networks {
		n.close()
	}
	return err
}

// awaitDeleted waits until so many orphans have lost their rows.
func (s *scene) awaitDeleted(ctx context.Context, n int) error {
	return await(ctx, limit, func() error {
		left, err := s.countHeld(ctx, s.Orphans)
		if gone := len(s.Orphans) - int(left.rows); err == nil && gone < n {
			err = fmt.Errorf("of %d orphans only %d went", len(s.Orphans), gone)
		}
		return err
	})
}

// checkReady checks that every daemon is ready.
func (s *scene) checkReady(ctx context.Context) error {
	for _, d := range s.daemons {
		if err := d.checkReady(ctx); err != nil {
			return fmt.Errorf("%s is not ready: %w", d.name, err)
		}
	}
	return nil
}

// awaitEnd waits until nothing is left to do, and checks what must hold then.
func (s *scene) awaitEnd(ctx context.Context) error {
	err := await(ctx, limit, func() error {
		if err := s.checkReady(ctx); err != nil {
			return err
		}
		if err := s.checkSettled(ctx); err != nil {
			return err
		}
		return s.checkNothingLeft(ctx)
	})
	return errors.Join(err, s.checkNothingLost(ctx), s.checkNoDeadLetters(ctx))
}

// checkSettled checks that no event waits or is in somebody's hands.
func (s *scene) checkSettled(ctx context.Context) error {
	if s.queue != nil {
		return s.queue.checkSettled(ctx)
	}
	q, err := s.askOwnQueue(ctx)
	if err == nil && q.Pending+q.Unacked > 0 {
		err = fmt.Errorf("%d events wait, %d are in hand", q.Pending, q.Unacked)
	}
	return err
}

func (s *scene) checkNoDeadLetters(ctx context.Context) error {
	if s.queue != nil {
		return s.queue.checkNoDeadLetters(ctx)
	}
	q, err := s.askOwnQueue(ctx)
	if err == nil && q.DeadLetters > 0 {
		err = fmt.Errorf("%d innocent events became dead letters", q.DeadLetters)
	}
	return err
}

// ownQueue is what the program says of the queue in its daemon.
type ownQueue struct {
	Pending, Unacked uint64
	DeadLetters      uint64 `json:"dead_letters"`
}

func (s *scene) askOwnQueue(ctx context.Context) (ownQueue, error) {
	var status struct{ Queue ownQueue }
	out, _, err := s.runProgram(ctx, nil, nil, nil, "status", "--output", "json")
	if err == nil {
		err = json.Unmarshal(out, &status)
	}
	return status.Queue, err
}
