package bucket

import (
	"net"
	"net/http"
	"time"
)

// answerTimeout bounds the wait for an answer's first byte.
const answerTimeout = time.Minute

// NewTransport is one of a client's own, which it closes.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: answerTimeout,
		MaxIdleConnsPerHost: 2 * requests, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
}
