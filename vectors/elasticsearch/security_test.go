package elasticsearch_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/elasticsearch"
)

// start starts a server that shows these certificates, the first of which is its own.
func start(t *testing.T, own testenv.Certificate, others ...[]byte) (url string) {
	t.Helper()
	shown, err := tls.LoadX509KeyPair(own.Cert, own.Key)
	require.NoError(t, err)
	shown.Certificate = append(shown.Certificate[:1], others...)
	server := httptest.NewUnstartedServer(newMade())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{shown}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(t.Output(), "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func readCertificate(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	return block.Bytes
}

func fingerprintOf(certificate []byte) string { return fmt.Sprintf("%X", sha256.Sum256(certificate)) }

// A server shows who it is by an authority that is known, by its fingerprint, or by that of who
// signed it; that it also shows somebody else's certificate says nothing.
func TestCertificates(t *testing.T) {
	t.Parallel()
	authority, stranger := testenv.NewAuthority(t), testenv.NewAuthority(t)
	own, named, strangers := authority.Issue(t, "e", "127.0.0.1"), authority.Issue(t, "e", "elsewhere"), stranger.Issue(t, "e", "127.0.0.1")
	signer := readCertificate(t, authority.Path)
	right, misnamed := start(t, own, signer), start(t, named, signer)
	impostor := start(t, strangers, signer)
	for name, c := range map[string]struct {
		url, authority, fingerprint string
		want                        string // nothing: it is used
	}{
		"the system's authorities":      {right, "", "", "x509"},
		"an authority":                  {right, authority.Path, "", ""},
		"another authority":             {right, stranger.Path, "", "x509"},
		"another name":                  {misnamed, authority.Path, "", "x509"},
		"fingerprint":                   {misnamed, "", fingerprintOf(readCertificate(t, named.Cert)), ""},
		"fingerprint of the signer":     {misnamed, stranger.Path, fingerprintOf(signer), ""},
		"fingerprint of another":        {right, authority.Path, fingerprintOf([]byte("another")), "SSL_ASSERT_FINGERPRINT"},
		"fingerprint of what is shown":  {impostor, "", fingerprintOf(signer), "x509"},
		"an impostor's own fingerprint": {impostor, "", fingerprintOf(readCertificate(t, strangers.Cert)), ""},
	} {
		err := newStore(t, elasticsearch.Options{URL: c.url, CAFile: c.authority, Fingerprint: c.fingerprint, Prefix: "p"}).Check(t.Context())
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.want, name)
		}
	}
}

func TestCertificatesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none.pem")
	require.NoError(t, os.WriteFile(none, []byte("no certificate"), 0o600))
	for want, options := range map[string]elasticsearch.Options{
		"there is none in " + none:         {CAFile: none},
		"no such file":                     {CAFile: none + "x"},
		`"aa" is no SHA-256`:               {Fingerprint: "aa"},
		`zz" is no SHA-256 of a certifica`: {Fingerprint: strings.Repeat("z", 64)},
	} {
		options.URL, options.Prefix = "https://e:1", "p"
		_, err := elasticsearch.New(t.Context(), options)
		require.ErrorContains(t, err, want)
	}
}
