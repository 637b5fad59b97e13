package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/time/rate"
)

const (
	sessionCookie = "pruned_session"
	sessionLength = 12 * time.Hour
	// maxUser is how much of a person's name is kept.
	maxUser = 64

	// Tries to sign in, of one address: nobody guesses a token, and the limit keeps the
	// log and the processor calm. Of so many addresses it is known at a time.
	triesEvery = time.Second
	triesBurst = 5
	maxTriers  = 1000
)

// sessions tell who is signed in. A session is a signed cookie: every replica knows it, it
// outlives a restart, and another token ends it.
type sessions struct {
	token   [sha256.Size]byte
	key     []byte
	proxies []netip.Prefix

	mu     sync.Mutex
	triers map[string]*rate.Limiter
}

func newSessions(token string, proxies []netip.Prefix) *sessions {
	key := hmac.New(sha256.New, []byte(token))
	key.Write([]byte("pruned: sessions of the page"))
	return &sessions{token: sha256.Sum256([]byte(token)), key: key.Sum(nil), proxies: proxies, triers: map[string]*rate.Limiter{}}
}

// isToken takes as long for every text.
func (s *sessions) isToken(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1
}

// mayTry says whether an address may try to sign in just now.
func (s *sessions) mayTry(r *http.Request) bool {
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	s.mu.Lock()
	defer s.mu.Unlock()
	limiter, known := s.triers[address]
	if !known {
		for other := range s.triers {
			if len(s.triers) < maxTriers {
				break
			}
			delete(s.triers, other)
		}
		limiter = rate.NewLimiter(rate.Every(triesEvery), triesBurst)
		s.triers[address] = limiter
	}
	return limiter.Allow()
}

// sign makes the value of a cookie: who, until when, and that we said so.
func (s *sessions) sign(user string, until time.Time) string {
	text := strconv.FormatInt(until.Unix(), 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(user))
	return text + "." + base64.RawURLEncoding.EncodeToString(s.mac(text))
}

func (s *sessions) mac(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// verify is who a cookie is of.
func (s *sessions) verify(value string, now time.Time) (user string, is bool) {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return "", false
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(mac, s.mac(parts[0]+"."+parts[1])) {
		return "", false
	}
	until, err := strconv.ParseInt(parts[0], 10, 64)
	name, failed := base64.RawURLEncoding.DecodeString(parts[1])
	return string(name), err == nil && failed == nil && now.Before(time.Unix(until, 0))
}

// userOf is who sends a request, by a proxy's word or by a cookie.
func (s *sessions) userOf(r *http.Request) (user string, is bool) {
	if name := cleanUser(r.Header.Get("X-Forwarded-User")); name != "" && s.isProxy(r) {
		return name, true
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return "", false
	}
	return s.verify(cookie.Value, time.Now())
}

func (s *sessions) isProxy(r *http.Request) bool {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, prefix := range s.proxies {
		if prefix.Contains(address.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// cleanUser is a person's name as it is kept in the ledger.
func cleanUser(name string) string {
	clean := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, name)))
	return string(clean[:min(len(clean), maxUser)])
}
