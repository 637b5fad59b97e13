package postgres_test

import (
	"maps"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// certified is a database of a server that admits us by a certificate alone.
type certified struct {
	*testenv.Database
	authority   *testenv.Authority
	certificate testenv.Certificate
}

func newCertified(t *testing.T) *certified {
	t.Helper()
	authority := testenv.NewAuthority(t)
	server := testenv.NewTLSServer(t, testenv.TLS{Certificate: authority.Issue(t, "server", "127.0.0.1"), ClientCA: authority.Path})
	return &certified{server.New(t), authority, authority.Issue(t, testenv.Certified)}
}

// open opens the database with these parameters instead of those that are right; an empty
// one is left out.
func (c *certified) open(t *testing.T, host string, instead map[string]string) (*postgres.DB, error) {
	t.Helper()
	parameters := map[string]string{"sslmode": "verify-full", "sslrootcert": c.authority.Path, "sslcert": c.certificate.Cert, "sslkey": c.certificate.Key}
	maps.Copy(parameters, instead)
	query := url.Values{}
	for name, value := range parameters {
		if value != "" {
			query.Set(name, value)
		}
	}
	u, err := url.Parse(c.URL)
	require.NoError(t, err)
	u.User, u.RawQuery = url.User(testenv.Certified), query.Encode()
	u.Host = host + ":" + u.Port()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: u.String()})
	if err == nil {
		t.Cleanup(db.Close)
	}
	return db, err
}

// A certificate that is wrong on either side is the environment's fault, and is named.
func TestCertificatesAreLookedAt(t *testing.T) {
	t.Parallel()
	c, stranger := newCertified(t), testenv.NewAuthority(t)
	theirs := stranger.Issue(t, testenv.Certified)
	other := c.authority.Issue(t, "somebody else")
	for name, wrong := range map[string]struct {
		host    string
		instead map[string]string
		says    string
	}{
		"authority":           {"127.0.0.1", map[string]string{"sslrootcert": stranger.Path}, "certificate signed by unknown authority"},
		"host name":           {"localhost", nil, "certificate is not valid for any names, but wanted to match localhost"},
		"no certificate":      {"127.0.0.1", map[string]string{"sslcert": "", "sslkey": ""}, "requires a valid client certificate"},
		"certificate of none": {"127.0.0.1", map[string]string{"sslcert": theirs.Cert, "sslkey": theirs.Key}, "requires a valid client certificate"},
		"another's":           {"127.0.0.1", map[string]string{"sslcert": other.Cert, "sslkey": other.Key}, "certificate authentication failed"},
		"key of another":      {"127.0.0.1", map[string]string{"sslkey": other.Key}, "private key does not match public key"},
		"no file":             {"127.0.0.1", map[string]string{"sslrootcert": "/missing.pem"}, "/missing.pem"},
		"without TLS":         {"127.0.0.1", map[string]string{"sslmode": "disable"}, "no encryption"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.open(t, wrong.host, wrong.instead)
			require.ErrorContains(t, err, wrong.says)
			require.Equal(t, repo.Environment, repo.KindOf(err))
		})
	}
}

// A server that shows another certificate, as one that somebody put in its place, is
// believed nothing, whatever was open before. When the right one is back all goes on, also
// where ours was renewed meanwhile.
func TestCertificateThatChanges(t *testing.T) {
	t.Parallel()
	c := newCertified(t)
	db, err := c.open(t, "127.0.0.1", nil)
	require.NoError(t, err)
	begin := func() error { return db.InTx(t.Context(), nil, func(repo.Tx) error { return nil }) }
	require.NoError(t, begin())

	stranger := testenv.NewAuthority(t)
	c.Server.Show(t, stranger.Issue(t, "server", "127.0.0.1"))
	c.failsAsEnvironment(t, begin, "certificate signed by unknown authority")
	c.Server.Show(t, c.authority.Issue(t, "server", "127.0.0.1"))
	require.NoError(t, begin())

	ours := stranger.Issue(t, testenv.Certified)
	c.renew(t, ours)
	c.failsAsEnvironment(t, begin, "requires a valid client certificate")
	c.renew(t, c.authority.Issue(t, testenv.Certified))
	require.NoError(t, begin())
}

// failsAsEnvironment ends our sessions, so that the next transaction connects, and fails
// for what is no batch's fault.
func (c *certified) failsAsEnvironment(t *testing.T, begin func() error, says string) {
	t.Helper()
	c.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`, testenv.Certified)
	var err error
	require.Eventually(t, func() bool {
		err = begin()
		return err != nil && repo.KindOf(err) != repo.Passing // a session that ended is noticed once
	}, testTimeout, tick)
	require.ErrorContains(t, err, says)
	require.Equal(t, repo.Environment, repo.KindOf(err))
}

// renew puts another certificate where ours is.
func (c *certified) renew(t *testing.T, with testenv.Certificate) {
	t.Helper()
	require.NoError(t, os.Rename(with.Cert, c.certificate.Cert))
	require.NoError(t, os.Rename(with.Key, c.certificate.Key))
}
