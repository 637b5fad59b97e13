package config

import (
	"os"
	"path/filepath"

	"pruned/config/dsn"
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
	url, err := dsn.NormalizeDatabase(c.Database.sourceURL())
	path, file := dsn.FilePath(url)
	switch {
	case err != nil || dir == "" || named && !file:
		return
	case file && sameFile(path, filepath.Join(dir, sqliteFile)):
		return
	}
	if named {
		ps.addProblem("DATA_DIR", "%q has a %s that is not DATABASE_URL's: wanted the data folder of that database, or that file moved away if nothing uses it", dir, sqliteFile)
	} else {
		ps.addProblem("DATA_DIR", "is not set, and %q has a %s that is not DATABASE_URL's: wanted Open WebUI's data folder", dir, sqliteFile)
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

// containerDataDir is Open WebUI's data folder in its image.
const containerDataDir = "/app/backend/data"

// sqliteFile is the name of Open WebUI's own database in its data folder.
const sqliteFile = "webui.db"

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
