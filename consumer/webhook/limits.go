package webhook

import (
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// How often one address may fail: at once, and then in the long run.
const (
	failuresAtOnce = 20
	failureEvery   = time.Second
)

// buckets bounds the memory whatever number of addresses come. Two of them may
// share a bucket: that only lets two strangers share what they may do wrong, and
// the seed keeps anybody from choosing with whom.
const buckets = 4096

// limits counts the failures of addresses.
type limits struct {
	seed    maphash.Seed
	buckets [buckets]*rate.Limiter
}

func newLimits() *limits {
	l := &limits{seed: maphash.MakeSeed()}
	for i := range l.buckets {
		l.buckets[i] = rate.NewLimiter(rate.Every(failureEvery), failuresAtOnce)
	}
	return l
}

// allow counts a failure of an address (as in http.Request.RemoteAddr) and says
// whether it may still be told why.
func (l *limits) allow(address string, now time.Time) bool {
	hash := maphash.Comparable(l.seed, network(address))
	return l.buckets[hash%buckets].AllowN(now, 1)
}

// network is what one party has: an IPv4 address, or all of an IPv6 /64. What is
// no address is one party.
func network(address string) netip.Prefix {
	from, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip := from.Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(ip, bits).Masked()
}
