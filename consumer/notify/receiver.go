package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"pruned/config/secret"
)

// SignatureHeader holds the HMAC-SHA256 of the body, by the secret, as sha256=HEX.
const SignatureHeader = "Pruned-Signature"

const (
	postTimeout = 10 * time.Second
	maxIgnored  = 64 << 10 // bytes of an answer that are read, so that it ends well
)

// Receiver is whoever is told, by HTTP.
type Receiver struct {
	URL    secret.Text // it may hold a token
	Secret secret.Text // empty: nothing is signed
	Source string      // that the events name: this installation
}

// client follows no redirect: what is told is for the address that was set.
var client = &http.Client{Timeout: postTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// post tells once. Its errors quote neither the address nor the answer.
func (r Receiver) post(ctx context.Context, n Notice) error {
	body, err := n.encode(r.Source)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, string(r.URL), bytes.NewReader(body))
	if err != nil {
		return errors.New("PRUNED_NOTIFY_URL cannot be asked")
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	if r.Secret != "" {
		request.Header.Set(SignatureHeader, sign(r.Secret, body))
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("notice %s: %w", n.ID, describeFailure(err))
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxIgnored)
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("notice %s: the receiver answers %d, wanted 2xx", n.ID, response.StatusCode)
	}
	return nil
}

// describeFailure leaves out the address, and what an answer says that is none of HTTP's.
func describeFailure(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &network), errors.As(err, &certificate), errors.Is(err, context.Canceled), errors.Is(err, io.EOF):
		return err
	}
	return errors.New("the receiver's answer is none of HTTP's")
}

func sign(key secret.Text, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
