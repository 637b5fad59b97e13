package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const token = "a-token-for-the-page"

func TestSessionsAreNotForged(t *testing.T) {
	t.Parallel()
	s, now := newSessions(token, nil), time.Now()
	value := s.sign("Ann Ünlü.", now.Add(time.Hour))
	user, is := s.verify(value, now)
	require.True(t, is)
	require.Equal(t, "Ann Ünlü.", user)
	other := newSessions(token+"2", nil)
	_, is = other.verify(value, now)
	require.False(t, is, "another token ends it")
	_, is = s.verify(value, now.Add(2*time.Hour))
	require.False(t, is, "it ends")
	parts := strings.Split(value, ".")
	later := fmt.Sprint(now.Add(100 * time.Hour).Unix())
	for _, forged := range []string{"", "..", later + "." + parts[1] + "." + parts[2], parts[0] + ".QQ." + parts[2], parts[0] + "." + parts[1] + ".", value + "x", other.sign("Ann", now.Add(time.Hour))} {
		_, is = s.verify(forged, now)
		require.False(t, is, forged)
	}
	require.True(t, s.isToken(token))
	require.False(t, s.isToken(token+" "))
	require.False(t, s.isToken(""))
}

// Only a proxy that was named is believed.
func TestProxiesSayWhoItIs(t *testing.T) {
	t.Parallel()
	s := newSessions(token, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	for address, want := range map[string]string{"10.1.2.3:1": "Bob", "[::ffff:10.1.2.3]:1": "Bob", "192.0.2.1:1": "", "": ""} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = address
		r.Header.Set("X-Forwarded-User", " Bob\x1b\n ")
		user, is := s.userOf(r)
		require.Equal(t, want, user, address)
		require.Equal(t, want != "", is)
	}
	require.Len(t, []rune(cleanUser(strings.Repeat("ä", 1000))), maxUser)
}

func TestTriesOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := newSessions(token, nil)
	r := httptest.NewRequest(http.MethodPost, "/signin", nil)
	allowed := 0
	for range 100 {
		if s.mayTry(r) {
			allowed++
		}
	}
	require.Less(t, allowed, 20)
	for i := range 2 * maxTriers {
		r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", i/256, i%256)
		require.True(t, s.mayTry(r))
	}
	require.LessOrEqual(t, len(s.triers), maxTriers)
}

func TestStackIsAsWideAsItIs(t *testing.T) {
	t.Parallel()
	for _, counts := range [][]int64{{1, 2, 3}, {1_000_000, 1, 0}, {0, 0, 5}, {1, 1_000_000, 1}} {
		var parts []part
		for _, n := range counts {
			parts = append(parts, part{Count: n})
		}
		x := 0.0
		for i, p := range stack(parts) {
			require.InDelta(t, x, p.X, 0.001, counts)
			require.Equal(t, counts[i] > 0, p.Width >= minPart, counts)
			x += p.Width
		}
		require.InDelta(t, 1000, x, 0.001, counts)
	}
	require.Zero(t, stack([]part{{}, {}})[1].Width)
}

func TestDaysAreCharted(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 5, 14, 0, 0, 0, time.UTC)
	d := chartDays(map[time.Time]int64{time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC): 1, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC): 400}, now)
	require.Len(t, d.Bars, shownDays)
	require.EqualValues(t, 401, d.Total)
	require.Equal(t, "1 March: 400", d.Most.String())
	require.InDelta(t, 100, d.Bars[25].Height, 0.001)
	require.InDelta(t, 2, d.Bars[29].Height, 0.001, "one is seen")
	require.Equal(t, "4 February", d.Bars[0].Day.Format("2 January"))
}

func TestLinks(t *testing.T) {
	t.Parallel()
	query := url.Values{"text": {"a&b"}, "page": {"3"}, "user": {""}}
	require.Equal(t, pager{Page: 3, Pages: 4, Previous: "/unused?page=2&text=a%26b", Next: "/unused?page=4&text=a%26b"}, newPager("/unused", query, pageOf(query), 151))
	require.Equal(t, pager{Page: 1, Pages: 0}, newPager("/unused", nil, pageOf(url.Values{"page": {"-5"}}), 0))
	require.Equal(t, maxPage, pageOf(url.Values{"page": {"99999999"}}))
	p := &Page{Options: Options{OpenWebUI: "https://chat.example.org/"}}
	require.Equal(t, "https://chat.example.org/c/a%2Fb", p.linkTo(Fact{Table: "chat", Row: "a/b"}))
	require.Empty(t, p.linkTo(Fact{Table: "chat_file", Row: "a"}))
	for path, want := range map[string]string{"/unused?text=a": "/unused?text=a", "": "/", "unused": "/", "//evil": "/", `/\evil`: "/", "https://evil/": "/", "javascript:x": "/"} {
		require.Equal(t, want, localPath(path), path)
	}
}

// A spreadsheet takes no name for a formula.
func TestCellsArePlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "-1": "'-1", "a=1": "a=1", "": ""} {
		require.Equal(t, want, plainCell(text))
	}
}
