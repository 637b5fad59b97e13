package secret

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Redact shows which database or server a DSN means: a URL, a list of them,
// or key=value pairs. It shows only what it can tell apart from a password,
// however broken the DSN is, and *** for the rest.
func Redact(dsn string) string {
	if scheme, rest, ok := strings.Cut(dsn, "://"); ok {
		return redactURL(scheme, rest)
	}
	if strings.Contains(dsn, "=") {
		return redactPairs(dsn)
	}
	if dsn == "" {
		return ""
	}
	return hidden
}

// Servers takes a list of servers of the queue apart, separated by commas, and leaves out
// their secrets. It is empty where one is no URL with a host: the error would show the URL
// with its password.
func Servers(list string) (servers []*url.URL) {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Hostname() == "" {
			return nil
		}
		u.User, u.RawQuery = nil, ""
		servers = append(servers, u)
	}
	return servers
}

const server = `(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])(?::\d+)?`

var (
	schemeName = regexp.MustCompile(`^\w[\w+.-]*$`)
	userName   = regexp.MustCompile(`^[\w.-]*$`)
	location   = regexp.MustCompile(`^` + server + `(?:, ?(?:\w+://)?` + server + `)*(?:/[\w./-]*)?$`)
)

// redactURL takes everything up to the last @ for credentials, and drops the
// parameters, where a password can be too. A user without a password may be a
// token.
func redactURL(scheme, rest string) string {
	if !schemeName.MatchString(scheme) {
		return hidden
	}
	rest, parameters, _ := strings.Cut(rest, "?")
	at := strings.LastIndex(rest, "@")
	where := rest[at+1:]
	// An @ after the ? may well end a password that holds the ?.
	if strings.Contains(parameters, "@") || !location.MatchString(where) {
		return scheme + "://" + hidden
	}
	if at < 0 {
		return scheme + "://" + where
	}
	user, _, named := strings.Cut(rest[:at], ":")
	if named && userName.MatchString(user) {
		return scheme + "://" + user + ":" + hidden + "@" + where
	}
	return scheme + "://" + hidden + "@" + where
}

var (
	// pair is one of libpq's: a value is quoted, or ends at a space; a
	// backslash escapes.
	pair      = regexp.MustCompile(`(?s)^\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\']|\\.)*)(?:\s+|$)`)
	plain     = regexp.MustCompile(`^[\w./:,-]*$`)
	shownKeys = []string{"host", "hostaddr", "port", "user", "dbname", "sslmode"}
)

func redactPairs(dsn string) string {
	var shown []string
	for dsn != "" {
		match := pair.FindStringSubmatch(dsn)
		if match == nil {
			return hidden
		}
		key, value := match[1], strings.Trim(match[2], "'")
		if slices.Contains(shownKeys, key) {
			if !plain.MatchString(value) {
				value = hidden
			}
			shown = append(shown, key+"="+value)
		} else if key == "password" {
			shown = append(shown, key+"="+hidden)
		}
		dsn = dsn[len(match[0]):]
	}
	return strings.Join(shown, " ")
}
