package config

import (
	"fmt"
	"os"
	"path/filepath"
)

// AfterApply completes what depends on other settings. kong calls it after
// Validate.
func (c *Config) AfterApply() error {
	if c.Storage.DataDir == "" {
		c.Storage.DataDir = defaultDataDir(dataDirs(), containerDataDir)
		if !c.Database.isDefault() {
			c.assume("DATA_DIR is not set: taken for %s", c.Storage.DataDir)
		}
	}
	if c.Queue.DataDir == "" {
		c.Queue.DataDir = queueDir(c.Storage.DataDir)
	}
	if err := c.completeDatabase(); err != nil {
		return err
	}
	return c.completeVectors()
}

func (c *Config) completeDatabase() (err error) {
	source := c.Database.source()
	if c.Database.isDefault() {
		path := filepath.Join(c.Storage.DataDir, sqliteFile)
		source = sqliteScheme + path
		c.assume("DATABASE_URL is not set: found %s", path)
	}
	c.Database.URL, err = databaseURL(source)
	return err
}

func (c *Config) completeVectors() (err error) {
	if c.Vectors.DB == "" {
		c.Vectors.DB, c.Vectors.Guessed = "chroma", true
		_, file := c.Database.SQLite()
		switch {
		case !c.Chroma.Embedded():
			c.assume("VECTOR_DB is not set: taken for chroma, as CHROMA_HTTP_HOST is set")
		case file:
			c.assume("VECTOR_DB is not set: taken for chroma, as by Open WebUI, in %s", c.Storage.VectorDir())
		default:
			c.assume("VECTOR_DB is not set: taken for chroma, as by Open WebUI, in %s; where the vectors are in PostgreSQL, set it to pgvector", c.Storage.VectorDir())
		}
	}
	if c.Vectors.DB == "pgvector" {
		c.Vectors.URL, err = postgresURL(string(c.vectorsURL()))
	}
	return err
}

func (c *Config) assume(format string, args ...any) {
	c.Assumed = append(c.Assumed, fmt.Sprintf(format, args...))
}

// vectorsURL is the database's where it has none of its own (Open WebUI,
// config.py).
func (c *Config) vectorsURL() Secret {
	if c.Vectors.URL != "" {
		return c.Vectors.URL
	}
	return c.Database.URL
}

// queueDir is the folder of the embedded queue, beside a file of that name,
// which may be this very program.
func queueDir(dataDir string) string {
	dir := filepath.Join(dataDir, "pruned")
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return dir + ".queue"
	}
	return dir
}
