// Package dsn turns the database URLs of Open WebUI, which SQLAlchemy reads, into
// those that PostgreSQL's own tools read, and those of other servers alike, or into the path of a file (SQLite).
//
// Its central idea is that the URL means the same afterwards, whatever is in the
// password, and that an error never holds a part of it.
package dsn

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pruned/config/secret"
)

// sqlalchemyURL is the grammar by which Open WebUI's URLs are read (SQLAlchemy
// 2, engine/url.py). It lets a password hold what a URL proper would not: all
// but @.
var sqlalchemyURL = regexp.MustCompile(`(?s)^(?P<dialect>\w+)(?:\+\w+)?://` +
	`(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?` +
	`(?:(?:\[(?P<ipv6>[^/?]+)\]|(?P<host>[^/:?]+))?(?::(?P<port>[^/?]*))?)?` +
	`(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?$`)

var hostName = regexp.MustCompile(`^[\pL\pN._-]+$`)

// IsHost says whether a text is the name of a host, or its IPv4 address.
func IsHost(text string) bool { return hostName.MatchString(text) }

var (
	errNoURL    = errors.New("is not the URL of a database")
	errNotBuilt = errors.New("is of a database that is not built yet")
)

// NormalizeDatabase brings a URL of Open WebUI's into the form that its engine
// reads.
func NormalizeDatabase(raw string) (secret.Text, error) {
	match := sqlalchemyURL.FindStringSubmatch(raw)
	switch {
	case match == nil:
		return "", errNoURL
	case match[sqlalchemyURL.SubexpIndex("dialect")] == "sqlite":
		return normalizeFile(raw)
	}
	return NormalizePostgres(raw)
}

// NormalizePostgres turns a URL of Open WebUI's into one that PostgreSQL's own tools
// read.
func NormalizePostgres(raw string) (secret.Text, error) {
	return normalizeServer(raw, "postgresql", cleanQuery, "postgresql", "postgres")
}

// NormalizeOpenGauss does the same for openGauss, which they can read as well.
func NormalizeOpenGauss(raw string) (secret.Text, error) {
	return normalizeServer(raw, "postgresql", cleanQuery, "opengauss", "postgresql", "postgres")
}

// MariaDB is the scheme that Open WebUI wants of a MariaDB.
const MariaDB = "mariadb+mariadbconnector"

// NormalizeMariaDB turns a URL of Open WebUI's into one that any URL proper is read as.
func NormalizeMariaDB(raw string) (secret.Text, error) {
	if !strings.HasPrefix(raw, MariaDB+"://") {
		return "", errNoURL
	}
	normalized, err := normalizeServer(raw, MariaDB, checkQuery, "mariadb")
	if u, invalid := url.Parse(string(normalized)); err == nil && (invalid != nil || u.Path == "") {
		return "", errors.New("names no database")
	}
	return normalized, err
}

// normalizeServer takes URLs of these dialects.
func normalizeServer(raw, scheme string, clean func(string) (string, error), dialects ...string) (secret.Text, error) {
	match := sqlalchemyURL.FindStringSubmatch(raw)
	if match == nil {
		return "", errNoURL
	}
	group := func(name string) string { return match[sqlalchemyURL.SubexpIndex(name)] }
	if !slices.Contains(dialects, group("dialect")) {
		return "", errNotBuilt
	}
	host, err := joinHost(group("host"), group("ipv6"), group("port"))
	if err != nil {
		return "", err
	}
	query, err := clean(group("query"))
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: scheme, Host: host, RawQuery: query, User: makeUserinfo(group("user"), group("password"))}
	if database := group("database"); database != "" {
		u.Path = "/" + database
	}
	return secret.Text(u.String()), nil
}

func joinHost(host, ipv6, port string) (string, error) {
	switch {
	case ipv6 != "" && net.ParseIP(ipv6) == nil, ipv6 == "" && host != "" && !IsHost(host):
		return "", errors.New("has no valid host (an @ in the password is written %40)")
	case port != "":
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", errors.New("has no valid port")
		}
		return net.JoinHostPort(host+ipv6, port), nil
	case ipv6 != "":
		return "[" + ipv6 + "]", nil
	default:
		return host, nil
	}
}

func makeUserinfo(user, password string) *url.Userinfo {
	switch {
	case password != "":
		return url.UserPassword(unescapeAll(user), unescapeAll(password))
	case user != "":
		return url.User(unescapeAll(user))
	default:
		return nil
	}
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// unescapeAll is Python's: what is no escape stays as it is.
func unescapeAll(text string) string {
	return escape.ReplaceAllStringFunc(text, func(hex string) string {
		b, _ := strconv.ParseUint(hex[1:], 16, 8) // the expression lets nothing else through
		return string([]byte{byte(b)})
	})
}

// libpqOnly are parameters of libpq that tune a connection and that pgx, which
// does not know them, would send to the server as settings.
var libpqOnly = []string{
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
	"tcp_user_timeout", "gssencmode", "sslcompression",
}

var errQuery = errors.New("has parameters that cannot be read")

func checkQuery(raw string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", errQuery
	}
	return query.Encode(), nil
}

// cleanQuery also turns ssl, as other drivers call it, into sslmode, as
// Open WebUI does (internal/db.py).
func cleanQuery(raw string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", errQuery
	}
	if mode := query.Get("ssl"); mode != "" && !query.Has("sslmode") {
		query.Set("sslmode", mode)
	}
	query.Del("ssl")
	for _, name := range libpqOnly {
		query.Del(name)
	}
	return query.Encode(), nil
}
