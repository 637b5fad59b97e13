package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// secret is all that is kept of the token.
type secret [sha256.Size]byte

func secretOf(token string) secret { return sha256.Sum256([]byte(token)) }

// is compares in a time that tells neither how much of the token was right nor
// how long it is: hashes are of one length.
func (s secret) is(token string) bool {
	other := secretOf(token)
	return subtle.ConstantTimeCompare(s[:], other[:]) == 1
}

// Path is where the handler is to be mounted, with everything below it.
const Path = "/webhook"

// tokenOf is the token that a request brings, below Path or else as ?token=.
func tokenOf(r *http.Request) string {
	if token, below := strings.CutPrefix(r.URL.Path, Path+"/"); below && token != "" {
		return token
	}
	return r.URL.Query().Get("token")
}
