package main

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"
)

// profileTimeout is longer than a profile that somebody asks for.
const profileTimeout = 10 * time.Minute

// listenProfiles serves Go's profiles on an address of their own, which only this machine
// reaches: they hold the memory of the process.
func (c *command) listenProfiles(ctx context.Context) (stop func() error, err error) {
	if c.cli.HTTP.PPROF == "" {
		return func() error { return nil }, nil
	}
	log, mux := c.newLogger(), http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := newServer(mux, log)
	server.WriteTimeout = profileTimeout
	address, stop, err := serveHTTP(ctx, "PRUNED_PPROF", c.cli.HTTP.PPROF, server)
	if err != nil {
		return nil, err
	}
	log.Info().Stringer("profiles", address).Msg("profiles are served")
	return stop, nil
}
