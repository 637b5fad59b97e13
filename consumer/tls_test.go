package consumer

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// startCertified runs a server that admits clients by certificates of this authority.
func startCertified(t *testing.T, a *testenv.Authority) *server.Server {
	t.Helper()
	shown := a.Issue(t, "server", "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(shown.Cert, shown.Key)
	require.NoError(t, err)
	text, err := os.ReadFile(a.Path)
	require.NoError(t, err)
	clients := x509.NewCertPool()
	require.True(t, clients.AppendCertsFromPEM(text))
	return startGuarded(t, server.Options{TLSTimeout: Patience.Seconds(), TLSVerify: true, TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
}

// What is wrong with a certificate on either side is named, with the server.
func TestConnectByCertificate(t *testing.T) {
	t.Parallel()
	a, stranger := testenv.NewAuthority(t), testenv.NewAuthority(t)
	s := startCertified(t, a)
	ours, theirs := a.Issue(t, "pruned"), stranger.Issue(t, "pruned")
	address := s.Addr().String()
	right := ConnectOptions{URL: "tls://" + address, CA: a.Path, Cert: ours.Cert, Key: ours.Key}
	nc, err := Connect(Context(t), right)
	require.NoError(t, err)
	nc.Close()

	for name, wrong := range map[string]struct {
		with func(*ConnectOptions)
		says string
	}{
		"authority":           {func(o *ConnectOptions) { o.CA = stranger.Path }, "certificate signed by unknown authority"},
		"host name":           {func(o *ConnectOptions) { o.URL = "tls://localhost" + address[len("127.0.0.1"):] }, "wanted to match localhost"},
		"no certificate":      {func(o *ConnectOptions) { o.Cert, o.Key = "", "" }, "certificate"},
		"certificate of none": {func(o *ConnectOptions) { o.Cert, o.Key = theirs.Cert, theirs.Key }, "certificate"},
		"key of another":      {func(o *ConnectOptions) { o.Key = theirs.Key }, "private key does not match public key"},
		"no TLS":              {func(o *ConnectOptions) { o.URL, o.CA, o.Cert, o.Key = "nats://"+address, "", "", "" }, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := right
			wrong.with(&o)
			_, err := Connect(Context(t), o)
			require.ErrorContains(t, err, wrong.says)
			require.ErrorContains(t, err, "connecting to the queue at ")
		})
	}
}
