package config

import (
	"os"
	"path/filepath"
)

// checkDataDir refuses a data folder whose database is not the one that is set: its
// uploads and vectors are another installation's. Beside PostgreSQL a folder that was
// named may have a database of before; one that was only found may not.
func (c *Config) checkDataDir(ps *problems) {
	if c.Database.isDefault() {
		return
	}
	dir, named := c.Storage.DataDir, c.Storage.DataDir != ""
	if !named {
		dir, _ = findDataDir(dataDirs())
	}
	url, err := databaseURL(c.Database.source())
	path, file := Database{URL: url}.SQLite()
	switch {
	case err != nil || dir == "" || named && !file:
		return
	case file && sameFile(path, filepath.Join(dir, sqliteFile)):
		return
	}
	if named {
		ps.add("DATA_DIR", "%q has a %s that is not DATABASE_URL's: wanted the data folder of that database, or that file moved away if nothing uses it", dir, sqliteFile)
	} else {
		ps.add("DATA_DIR", "is not set, and %q has a %s that is not DATABASE_URL's: wanted Open WebUI's data folder", dir, sqliteFile)
	}
}

// sameFile also holds where there is nothing to compare.
func sameFile(database, beside string) bool {
	there, err := os.Stat(beside)
	if err != nil || !there.Mode().IsRegular() {
		return true
	}
	here, err := os.Stat(database)
	return err != nil || os.SameFile(here, there)
}
