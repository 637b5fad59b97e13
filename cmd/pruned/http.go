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

// newRoutes makes what PRUNED_HTTP serves. The webhook and the page are nil where there is
// no token for them: they are not there then.
func newRoutes(alive, ready probe, metrics, receiver, page http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", alive)
	mux.Handle("GET /livez", alive.inJSON())
	mux.Handle("GET /readyz", ready.inJSON())
	mux.Handle("GET /metrics", metrics)
	if receiver != nil {
		mux.Handle(webhook.Path, receiver)
		mux.Handle(webhook.Path+"/", receiver)
	}
	if page != nil {
		mux.Handle("/", page)
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

// serveHTTP answers on an address, that of a setting, until stop, which lets requests that
// are being answered end. It returns the address, whose port is known where the setting
// leaves it open.
func serveHTTP(ctx context.Context, setting, listen string, server *http.Server) (address net.Addr, stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %q cannot be listened on, wanted a free address: %w", setting, listen, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr(), func() error { return stopServer(setting, server, ended) }, nil
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
func stopServer(setting string, server *http.Server, ended <-chan error) error {
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
		return fmt.Errorf("stopping to serve %s: %w", setting, err)
	}
	return nil
}
