package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// certified is an installation whose database and queue admit it by a certificate alone.
type certified struct {
	*installation
	authority *testenv.Authority
	ours      testenv.Certificate
}

func installCertified(t *testing.T) *certified {
	t.Helper()
	a := testenv.NewAuthority(t)
	shown, ours := a.Issue(t, "server", "127.0.0.1"), a.Issue(t, testenv.Certified)
	database := testenv.NewTLSServer(t, testenv.TLS{Certificate: shown, ClientCA: a.Path}).New(t)
	pair, err := tls.LoadX509KeyPair(shown.Cert, shown.Key)
	require.NoError(t, err)
	text, err := os.ReadFile(a.Path)
	require.NoError(t, err)
	clients := x509.NewCertPool()
	require.True(t, clients.AppendCertsFromPEM(text))
	nats := startNATSWith(t, &server.Options{TLSTimeout: signalTimeout.Seconds(), TLSVerify: true, TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	i := installOn(t, database).with("VECTOR_DB=none", "PRUNED_MAX_FRACTION=1", "NATS_URL=tls://"+nats.Addr().String(),
		"NATS_CA="+a.Path, "NATS_CERT="+ours.Cert, "NATS_KEY="+ours.Key)
	c := &certified{i, a, ours}
	c.installation = c.with(c.databaseURL(a.Path, ours))
	return c
}

func (c *certified) databaseURL(authority string, shown testenv.Certificate) string {
	return "DATABASE_URL=" + strings.NewReplacer("postgres@", testenv.Certified+"@", "sslmode=disable",
		"sslmode=verify-full&sslrootcert="+authority+"&sslcert="+shown.Cert+"&sslkey="+shown.Key).Replace(c.URL)
}

// With a wrong certificate on any side a command fails and names it, and no event is taken
// for that; with the right ones the same event is handled.
func TestCertificates(t *testing.T) {
	t.Parallel()
	c := installCertified(t)
	stranger := testenv.NewAuthority(t)
	theirs := stranger.Issue(t, testenv.Certified)
	orphan := testenv.NewFile(t, c.Pool)
	c.publish(t, orphan)
	for says, wrong := range map[string]string{
		"connect to PostgreSQL: ":               c.databaseURL(stranger.Path, c.ours),
		"requires a valid client certificate":   c.databaseURL(c.authority.Path, theirs),
		"signed by unknown authority":           "NATS_CA=" + stranger.Path,
		"private key does not match public key": "NATS_KEY=" + theirs.Key,
	} {
		status, _, errs := c.with(wrong).pruned(t, "", "run", "--drain")
		require.Equal(t, exitFailed, status)
		require.Contains(t, errs, says)
	}
	require.Equal(t, 1, c.drain(t).Deleted)
	require.Empty(t, ask[[]letter](t, c.installation, "dead", "list"))
	require.Zero(t, testenv.Value[int](t, c.Database, `SELECT count(*) FROM file WHERE id = $1`, orphan))
}

// A daemon whose database shows a certificate of somebody else says so, buries no event, and
// goes on by itself.
func TestCertificateOfSomebodyElse(t *testing.T) {
	t.Parallel()
	c := installCertified(t)
	d := c.start(t)
	c.Server.Show(t, testenv.NewAuthority(t).Issue(t, "server", "127.0.0.1"))
	c.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`, testenv.Certified)
	d.becomes(t, http.StatusServiceUnavailable, "signed by unknown authority")
	orphan := testenv.NewFile(t, c.Pool)
	c.with("DATABASE_URL="+c.URL).publish(t, orphan)
	d.becomes(t, http.StatusServiceUnavailable, "signed by unknown authority")
	c.Server.Show(t, c.authority.Issue(t, "server", "127.0.0.1"))
	d.becomes(t, http.StatusOK, "")
	require.Eventually(t, func() bool {
		return testenv.Value[int](t, c.Database, `SELECT count(*) FROM file WHERE id = $1`, orphan) == 0
	}, signalTimeout, 20*pollEvery)
	require.Zero(t, d.stop(t))
	require.Empty(t, ask[[]letter](t, c.installation, "dead", "list"))
}
