package elasticsearch

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// securityOf is how a server shows who it is. A fingerprint comes first, as for the
// application's client.
func securityOf(options Options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if options.Fingerprint != "" {
		want, err := hex.DecodeString(strings.ReplaceAll(options.Fingerprint, ":", ""))
		if err != nil || len(want) != sha256.Size {
			return nil, fmt.Errorf("%q is no SHA-256 of a certificate", options.Fingerprint)
		}
		config.InsecureSkipVerify = true // the fingerprint is looked at instead
		config.VerifyConnection = func(state tls.ConnectionState) error { return checkFingerprint(state.PeerCertificates, want) }
		return config, nil
	}
	if options.CAFile != "" {
		text, err := os.ReadFile(options.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificates for the Elasticsearch server: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the certificates for the Elasticsearch server: there is none in %s", options.CAFile)
		}
	}
	return config, nil
}

// checkFingerprint takes the server's own certificate, or one by which it is signed: that it is
// only shown beside the server's says nothing.
func checkFingerprint(shown []*x509.Certificate, want []byte) error {
	between := x509.NewCertPool()
	for i, one := range shown {
		sum := sha256.Sum256(one.Raw)
		switch {
		case !bytes.Equal(sum[:], want):
			between.AddCert(one)
		case i == 0:
			return nil
		default:
			signer := x509.NewCertPool()
			signer.AddCert(one)
			_, err := shown[0].Verify(x509.VerifyOptions{Roots: signer, Intermediates: between})
			return err
		}
	}
	return errors.New("no certificate that the server shows has the fingerprint SSL_ASSERT_FINGERPRINT")
}
