package config

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
)

// source is the URL as Open WebUI would use it: the parts, once all are there,
// win over DATABASE_URL, and nothing in them is escaped (env.py).
func (d Database) source() string {
	switch {
	case len(d.missing()) == 0:
	case d.Type == "sqlite+sqlcipher" && d.URL == "":
		return d.Type + ":///" + sqliteFile
	default:
		return string(d.URL)
	}
	credentials := d.User
	if d.Password != "" {
		credentials += ":" + string(d.Password)
	}
	return d.Type + "://" + credentials + "@" + d.Host + ":" + d.Port + "/" + d.Name
}

type part struct{ setting, value string }

func (d Database) parts() []part {
	return []part{
		{"DATABASE_TYPE", d.Type},
		{"DATABASE_USER", d.User + string(d.Password)}, // one of them is enough
		{"DATABASE_HOST", d.Host},
		{"DATABASE_PORT", d.Port},
		{"DATABASE_NAME", d.Name},
	}
}

func (d Database) missing() []string {
	var missing []string
	for _, p := range d.parts() {
		if p.value == "" {
			missing = append(missing, p.setting)
		}
	}
	return missing
}

// sqlalchemyURL is the grammar by which Open WebUI's URLs are read (SQLAlchemy
// 2, engine/url.py). It lets a password hold what a URL proper would not: all
// but @.
var sqlalchemyURL = regexp.MustCompile(`(?s)^(?P<dialect>\w+)(?:\+\w+)?://` +
	`(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?` +
	`(?:(?:\[(?P<ipv6>[^/?]+)\]|(?P<host>[^/:?]+))?(?::(?P<port>[^/?]*))?)?` +
	`(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?$`)

var hostName = regexp.MustCompile(`^[\pL\pN._-]+$`)

var (
	errNoURL    = errors.New("is not the URL of a database")
	errNotBuilt = errors.New("is of a database that is not built yet")
)

// databaseURL brings a URL of Open WebUI's into the form that its engine reads.
// An error never holds a part of it.
func databaseURL(raw string) (Secret, error) {
	match := sqlalchemyURL.FindStringSubmatch(raw)
	switch {
	case match == nil:
		return "", errNoURL
	case match[sqlalchemyURL.SubexpIndex("dialect")] == "sqlite":
		return sqliteURL(raw)
	}
	return postgresURL(raw)
}

// postgresURL turns a URL of Open WebUI's into one that PostgreSQL's own
// tools read. An error never holds a part of it.
func postgresURL(raw string) (Secret, error) {
	match := sqlalchemyURL.FindStringSubmatch(raw)
	if match == nil {
		return "", errNoURL
	}
	group := func(name string) string { return match[sqlalchemyURL.SubexpIndex(name)] }
	if dialect := group("dialect"); dialect != "postgresql" && dialect != "postgres" {
		return "", errNotBuilt
	}
	host, err := hostPort(group("host"), group("ipv6"), group("port"))
	if err != nil {
		return "", err
	}
	query, err := postgresQuery(group("query"))
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "postgresql", Host: host, RawQuery: query, User: userinfo(group("user"), group("password"))}
	if database := group("database"); database != "" {
		u.Path = "/" + database
	}
	return Secret(u.String()), nil
}

func hostPort(host, ipv6, port string) (string, error) {
	switch {
	case ipv6 != "" && net.ParseIP(ipv6) == nil, ipv6 == "" && host != "" && !hostName.MatchString(host):
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

func userinfo(user, password string) *url.Userinfo {
	switch {
	case password != "":
		return url.UserPassword(unquote(user), unquote(password))
	case user != "":
		return url.User(unquote(user))
	default:
		return nil
	}
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// unquote is Python's: what is no escape stays as it is.
func unquote(text string) string {
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

// postgresQuery also turns ssl, as other drivers call it, into sslmode, as
// Open WebUI does (internal/db.py).
func postgresQuery(raw string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", errors.New("has parameters that cannot be read")
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
