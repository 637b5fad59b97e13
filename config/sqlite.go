package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// containerDataDir is Open WebUI's data folder in its image.
const containerDataDir = "/app/backend/data"

// sqliteFile is the name of Open WebUI's own database in its data folder.
const sqliteFile = "webui.db"

// sqliteScheme is how a database that is a file begins after Parse; the path
// follows, and begins with / where it is absolute.
const sqliteScheme = "sqlite:///"

// sqliteURL brings a URL of Open WebUI's for a file into that form: without a
// driver, and without parameters, which are for the driver.
func sqliteURL(raw string) (Secret, error) {
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
	return Secret(sqliteScheme + path), nil
}

// SQLite is the path of the database if it is a file.
func (d Database) SQLite() (path string, ok bool) {
	return strings.CutPrefix(string(d.URL), sqliteScheme)
}

// isDefault says that nothing names a database: Open WebUI takes its own, then,
// a file in its data folder.
func (d Database) isDefault() bool {
	named := d
	if d.Type == "sqlite" {
		named.Type = ""
	}
	return d.URL == "" && len(named.missing()) == len(named.parts())
}

// isFile says the same as SQLite, before Parse has ended.
func (d Database) isFile() bool {
	url, _ := databaseURL(d.source())
	_, file := Database{URL: url}.SQLite()
	return file || d.isDefault()
}

// dataDirs are the folders where Open WebUI's data may be, as seen from where
// pruned is started: in its data folder, beside it, in its image.
func dataDirs() []string { return []string{".", "data", containerDataDir} }

// findDataDir returns the first of the folders that holds Open WebUI's database.
func findDataDir(dirs []string) (string, bool) {
	for _, dir := range dirs {
		if info, err := os.Stat(filepath.Join(dir, sqliteFile)); err == nil && info.Mode().IsRegular() {
			return dir, true
		}
	}
	return "", false
}

// defaultDataDir is where Open WebUI's database is, or else Open WebUI's own
// default, which is relative to where its code lies.
func defaultDataDir(dirs []string, container string) string {
	if dir, ok := findDataDir(dirs); ok {
		return dir
	}
	if info, err := os.Stat(container); err == nil && info.IsDir() {
		return container
	}
	return "data"
}
