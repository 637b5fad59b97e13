package pgvector_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
)

// A certificate that is wrong makes the store unusable, which no file is blamed for, and one
// that is renewed is used by the next session.
func TestCertificatesAreReadForEachSession(t *testing.T) {
	t.Parallel()
	authority := testenv.NewAuthority(t)
	server := testenv.NewTLSServer(t, testenv.TLS{Certificate: authority.Issue(t, "server", "127.0.0.1"), ClientCA: authority.Path})
	ours := testenv.NewAuthority(t).Issue(t, testenv.Certified)
	s, err := pgvector.New(t.Context(), pgvector.Options{URL: strings.NewReplacer(
		"postgres@", testenv.Certified+"@",
		"sslmode=disable", "sslmode=verify-full&sslrootcert="+authority.Path+"&sslcert="+ours.Cert+"&sslkey="+ours.Key,
	).Replace(server.New(t).URL)})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	err = s.Check(t.Context())
	require.ErrorContains(t, err, "requires a valid client certificate")
	require.ErrorIs(t, err, vectors.ErrUnusable)

	renewed := authority.Issue(t, testenv.Certified)
	require.NoError(t, os.Rename(renewed.Cert, ours.Cert))
	require.NoError(t, os.Rename(renewed.Key, ours.Key))
	require.NoError(t, s.Check(t.Context()))
}
