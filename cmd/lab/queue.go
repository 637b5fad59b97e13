package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/loop"
	"pruned/repo/testenv"
)

const (
	loopback = "127.0.0.1"
	// awaitEvery is how often the lab looks whether something has happened.
	awaitEvery = 50 * time.Millisecond
	// startTimeout is how long a server of the queue may take until it answers.
	startTimeout = time.Minute
)

// node is one server of a queue.
type node struct {
	args    []string
	port    int
	process *exec.Cmd // nil while it does not run
	input   io.Closer
}

func (n *node) address() string { return fmt.Sprintf("%s:%d", loopback, n.port) }

// queue is the servers that hold the events, and a client of theirs that goes through no
// proxy.
type queue struct {
	nodes []*node
	nc    *nats.Conn
	js    jetstream.JetStream
}

// startQueue starts servers that know each other, each with a store of its own.
func (l *lab) startQueue(ctx context.Context, servers int) (q *queue, err error) {
	dir, err := os.MkdirTemp(l.dir, "queue-")
	if err != nil {
		return nil, err
	}
	q = &queue{}
	peers := ""
	var routes []int
	for range servers {
		port, portErr := testenv.TakePort()
		route, routeErr := testenv.TakePort()
		if err := errors.Join(portErr, routeErr); err != nil {
			return nil, err
		}
		q.nodes, routes = append(q.nodes, &node{port: port}), append(routes, route)
		peers += fmt.Sprintf(",%d", route)
	}
	for i, n := range q.nodes {
		name := fmt.Sprintf("n%d", i+1)
		n.args = []string{"node", "--name", name, "--dir", filepath.Join(dir, name), "--port", fmt.Sprint(n.port)}
		if servers > 1 {
			n.args = append(n.args, "--route", fmt.Sprint(routes[i]), "--peers", peers[1:])
		}
		if err := n.start(); err != nil {
			return nil, errors.Join(err, q.close())
		}
	}
	if err := q.connect(ctx); err != nil {
		return nil, errors.Join(err, q.close())
	}
	return q, nil
}

// start starts the server, again with the store that it had.
func (n *node) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, n.args...)
	cmd.Stderr = os.Stderr
	if n.input, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	n.process = cmd
	return nil
}

// kill ends the server as a crash does.
func (n *node) kill() error {
	if n.process == nil {
		return nil
	}
	err := n.process.Process.Kill()
	_ = n.process.Wait() // by the signal
	n.process = nil
	return err
}

// freeze stops the server from doing anything, until thaw.
func (n *node) freeze() error { return n.process.Process.Signal(syscall.SIGSTOP) }
func (n *node) thaw() error   { return n.process.Process.Signal(syscall.SIGCONT) }

// connect connects once the servers answer, and hold a stream on as many as there are.
func (q *queue) connect(ctx context.Context) (err error) {
	var urls []string
	for _, n := range q.nodes {
		urls = append(urls, "nats://"+n.address())
	}
	q.nc, err = nats.Connect(strings.Join(urls, ","), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(awaitEvery))
	if err != nil {
		return err
	}
	if q.js, err = jetstream.New(q.nc); err != nil {
		return err
	}
	return await(ctx, startTimeout, func() error {
		asking, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := q.js.CreateStream(asking, jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: len(q.nodes)})
		if err == nil {
			err = q.js.DeleteStream(asking, "probe")
		}
		return err
	})
}

func (q *queue) close() (err error) {
	if q.nc != nil {
		q.nc.Close()
	}
	for _, n := range q.nodes {
		err = errors.Join(err, n.kill())
	}
	return err
}

// await asks again and again until nothing is wrong, and returns what still was when the time
// is over.
func await(ctx context.Context, limit time.Duration, ask func() error) error {
	for until := time.Now().Add(limit); ; {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(until) || !loop.Sleep(ctx, awaitEvery) {
			return errors.Join(err, ctx.Err())
		}
	}
}

// Names of the program's stream and of its consumer.
const (
	eventStream      = "PRUNED"
	deadLetterStream = "PRUNED_DEAD"
	eventConsumer    = "pruned"
)

// countUnsettled counts events that wait or are in somebody's hands.
func (q *queue) countUnsettled(ctx context.Context) (waiting, inHand int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := q.js.Consumer(ctx, eventStream, eventConsumer)
	if err != nil {
		return 0, 0, err
	}
	info := c.CachedInfo()
	return int(info.NumPending), info.NumAckPending, nil
}

// checkSettled checks that no event is left, and none became a dead letter.
func (q *queue) checkSettled(ctx context.Context) error {
	waiting, inHand, err := q.countUnsettled(ctx)
	if err == nil && waiting+inHand > 0 {
		err = fmt.Errorf("%d events wait, %d are in hand", waiting, inHand)
	}
	return err
}

func (q *queue) checkNoDeadLetters(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := q.js.Stream(ctx, deadLetterStream)
	if err == nil && s.CachedInfo().State.Msgs > 0 {
		err = fmt.Errorf("%d innocent events became dead letters", s.CachedInfo().State.Msgs)
	}
	return err
}

// leader is the server that leads the stream of events.
func (q *queue) leader(ctx context.Context) (*node, error) {
	s, err := q.js.Stream(ctx, eventStream)
	if err != nil {
		return nil, err
	}
	for _, n := range q.nodes {
		if n.args[2] == s.CachedInfo().Cluster.Leader {
			return n, nil
		}
	}
	return nil, errors.New("the stream has no leader")
}
