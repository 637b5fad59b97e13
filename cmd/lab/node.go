package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/nats-io/nats-server/v2/server"
)

// nodeCmd is a server of a queue in a process of its own, which can be killed. It ends with
// the lab that started it: then its input ends.
type nodeCmd struct {
	Name  string `help:"Of the server."`
	Dir   string `help:"Of its store."`
	Port  int    `help:"For clients."`
	Route int    `help:"For the other servers; 0: it is alone."`
	Peers []int  `help:"Ports for the other servers, its own too."`
}

// Run serves until it is told to stop.
func (c *nodeCmd) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	options := &server.Options{
		ServerName: c.Name, Host: loopback, Port: c.Port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: c.Dir, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 40,
	}
	if c.Route != 0 {
		// Clients are told of no other server: they would go round the lab's proxies.
		options.Cluster = server.ClusterOpts{Name: "lab", Host: loopback, Port: c.Route, NoAdvertise: true}
		for _, port := range c.Peers {
			options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("%s:%d", loopback, port)})
		}
	}
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
