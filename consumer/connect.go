package consumer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"pruned/config/secret"
)

// ConnectOptions say which server of the queue, and who asks.
type ConnectOptions struct {
	URL      string // several are separated by commas
	Creds    string // path of a .creds file
	NKeyFile string // path of a seed
	CA       string // path of a PEM file
	Cert     string // path of a PEM file
	Key      string // path of a PEM file
	Name     string // of this client, for the server's people
	Log      zerolog.Logger
}

// Connect connects to an external queue. Once connected it reconnects for ever.
// Its errors hold no secrets.
func Connect(ctx context.Context, o ConnectOptions) (*nats.Conn, error) {
	var shown []string
	for _, server := range secret.Servers(o.URL) {
		shown = append(shown, server.String())
	}
	if shown == nil {
		return nil, errors.New("NATS_URL is not a URL, wanted one like nats://host:4222")
	}
	options, err := o.natsOptions()
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		options = append(options, nats.Timeout(max(time.Until(deadline), time.Millisecond)))
	}
	var nc *nats.Conn
	if err = ctx.Err(); err == nil {
		nc, err = nats.Connect(o.URL, options...)
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the queue at %s: %w", strings.Join(shown, ","), explainEnd(err))
	}
	return nc, nil
}

// explainEnd says what it mostly means that a server ends the connection right after the
// handshake: its alert that names the certificate is lost where we write at that moment.
func explainEnd(err error) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
	if ended && errors.Is(err, nats.ErrTLS) {
		return fmt.Errorf("%w; it may want a client certificate of an authority that it trusts (NATS_CERT, NATS_KEY)", err)
	}
	return err
}

// connectionOptions are the options of a connection that must outlast its server: it
// notices a server that is silent, reconnects for ever, and says so.
func connectionOptions(name string, log zerolog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				log.Warn().Err(err).Msg("connection to the queue lost, reconnecting")
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			log.Info().Msg("connected to the queue again")
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn().Err(err).Msg("the queue reports an error")
		}),
	}
}

func (o ConnectOptions) natsOptions() ([]nats.Option, error) {
	options := connectionOptions(o.Name, o.Log)
	if o.Creds != "" {
		options = append(options, nats.UserCredentials(o.Creds))
	}
	if o.NKeyFile != "" {
		key, err := nats.NkeyOptionFromSeed(o.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading NATS_NKEY: %w", err)
		}
		options = append(options, key)
	}
	if o.CA != "" {
		options = append(options, nats.RootCAs(o.CA))
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("NATS_CERT and NATS_KEY are given together or not at all")
	}
	if o.Cert != "" {
		options = append(options, nats.ClientCert(o.Cert, o.Key))
	}
	return options, nil
}
