package dsn

import (
	"errors"
	"strings"

	"pruned/config/secret"
)

// fileScheme is how the URL of a database that is a file begins; the path follows, and
// begins with / where it is absolute.
const fileScheme = "sqlite:///"

// FromPath makes the URL of a database that is a file.
func FromPath(path string) string { return fileScheme + path }

// FilePath is the path of a database that is a file, of a normalized URL.
func FilePath(url secret.Text) (path string, ok bool) {
	return strings.CutPrefix(string(url), fileScheme)
}

// normalizeFile takes the driver out of a URL, and the parameters, which are for the
// driver.
func normalizeFile(raw string) (secret.Text, error) {
	if strings.HasPrefix(raw, "sqlite+sqlcipher:") {
		return "", errors.New("is encrypted (SQLCipher), and only the application itself can read that")
	}
	match := sqlalchemyURL.FindStringSubmatch(raw)
	group := func(name string) string { return match[sqlalchemyURL.SubexpIndex(name)] }
	path := group("database")
	switch {
	case group("host")+group("ipv6")+group("port")+group("user")+group("password") != "":
		return "", errors.New("has a host, which a file has not (an absolute path has four slashes)")
	case path == "" || path == ":memory:" || strings.HasPrefix(path, "file:"):
		return "", errors.New("names no file")
	}
	return secret.Text(FromPath(path)), nil
}
