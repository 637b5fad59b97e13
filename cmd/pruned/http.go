package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer/webhook"
)

// Every step of a request ends, also where the client does nothing. What is written
// last includes the time that a webhook waits for the queue.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = time.Minute
	maxHeader         = 16 << 10 // bytes
	httpStopTimeout   = 10 * time.Second
)

// probe says what is wrong, if anything is, and what is worth knowing besides.
type probe func(context.Context) (note string, err error)

// newRoutes makes what PRUNED_HTTP serves. The webhook is nil where there is no token
// for it: there is no receiver then.
func newRoutes(healthy, ready probe, metrics, receiver http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", healthy)
	mux.Handle("GET /readyz", ready)
	mux.Handle("GET /metrics", metrics)
	if receiver != nil {
		mux.Handle(webhook.Path, receiver)
		mux.Handle(webhook.Path+"/", receiver)
	}
	return mux
}

// identityHeader tells whose daemon answers: several may be asked on one machine.
const identityHeader = "Pruned-Installation"

// hashIdentity makes the identity of an installation as strangers may see it.
func hashIdentity(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:8])
}

// ServeHTTP answers 200, or 503 with what is wrong.
func (p probe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	note, err := p(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprint(w, "ok\n", note)
}

// serveHTTP answers on an address until stop, which lets requests that are being
// answered end. It returns the address, whose port is known where PRUNED_HTTP
// leaves it open.
func serveHTTP(ctx context.Context, listen string, handler http.Handler, logger zerolog.Logger) (address net.Addr, stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, nil, fmt.Errorf("PRUNED_HTTP: %q cannot be listened on, wanted a free address: %w", listen, err)
	}
	server := newServer(handler, logger)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr(), func() error { return stopServer(server, ended) }, nil
}

func newServer(handler http.Handler, logger zerolog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(logger, "http: ", 0),
	}
}

// stopServer takes no more requests, waits for those in flight, then cuts them off.
func stopServer(server *http.Server, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), httpStopTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("stopping to serve PRUNED_HTTP: %w", err)
	}
	return nil
}
