package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// link is a network between one process and one server, which can be cut, slowed and made
// to swallow everything.
type link struct{ proxy *toxiproxy.Proxy }

func openLink(to string) (*link, error) {
	quiet := zerolog.Nop()
	l := &link{toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), quiet), to, loopback+":0", to)}
	return l, l.proxy.Start()
}

func (l *link) address() string { return l.proxy.Listen }

// cut ends every connection, and refuses others until restore.
func (l *link) cut() error { l.proxy.Stop(); return nil }

// restore ends what any of the others began.
func (l *link) restore(ctx context.Context) error {
	l.proxy.Toxics.ResetToxics(ctx)
	if l.proxy.Enabled {
		return nil
	}
	return l.proxy.Start()
}

// lead has further connections end at another server.
func (l *link) lead(to string) error {
	l.proxy.Stop()
	l.proxy.Upstream = to
	return l.proxy.Start()
}

// slow delays what goes through by what a bad line takes.
func (l *link) slow() error { return l.delay(300) }

// delay delays what goes through, in milliseconds.
func (l *link) delay(ms int) error {
	l.proxy.Toxics.ResetToxics(context.Background())
	return l.poison("latency", fmt.Sprintf(`"latency": %d`, ms))
}

// swallow has nothing arrive, in silence.
func (l *link) swallow() error { return l.poison("timeout", `"timeout": 0`) }

func (l *link) poison(kind, attributes string) error {
	for _, stream := range []string{"upstream", "downstream"} {
		text := fmt.Sprintf(`{"name": "%s-%s", "type": "%[1]s", "stream": "%[2]s", "attributes": {%s}}`, kind, stream, attributes)
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			return err
		}
	}
	return nil
}

// network is everything between one process and its servers.
type network struct {
	database *link
	queue    []*link
}

func openNetwork(database string, q *queue) (n *network, err error) {
	n = &network{}
	if n.database, err = openLink(database); err != nil {
		return nil, err
	}
	for _, server := range q.nodes {
		l, err := openLink(server.address())
		if err != nil {
			return nil, err
		}
		n.queue = append(n.queue, l)
	}
	return n, nil
}

func (n *network) toDatabase() []*link { return []*link{n.database} }
func (n *network) toQueue() []*link    { return n.queue }
func (n *network) links() []*link      { return append([]*link{n.database}, n.queue...) }

// restore mends everything.
func (n *network) restore(ctx context.Context) error {
	return each(n.links(), func(l *link) error { return l.restore(ctx) })
}

func (n *network) close() {
	for _, l := range n.links() {
		l.proxy.Stop()
	}
}

// each does something to several links.
func each(links []*link, do func(*link) error) (err error) {
	for _, l := range links {
		err = errors.Join(err, do(l))
	}
	return err
}

// settings lead the program through the network.
func (n *network) settings(database string) []string {
	var servers []string
	for _, l := range n.queue {
		servers = append(servers, "nats://"+l.address())
	}
	return []string{
		fmt.Sprintf("DATABASE_URL=postgres://postgres@%s/%s?sslmode=disable", n.database.address(), database),
		"NATS_URL=" + strings.Join(servers, ","),
	}
}
