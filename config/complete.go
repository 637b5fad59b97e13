package config

import (
	"os"
	"path/filepath"
)

// containerDataDir is Open WebUI's data folder in its image.
const containerDataDir = "/app/backend/data"

// AfterApply completes what depends on other settings. kong calls it after
// Validate.
func (c *Config) AfterApply() error {
	url, err := postgresURL(c.Database.source())
	if err != nil {
		return err
	}
	c.Database.URL = url
	if c.Vectors.DB == "pgvector" {
		if c.Vectors.URL, err = postgresURL(string(c.vectorsURL())); err != nil {
			return err
		}
	}
	if c.Storage.DataDir == "" {
		c.Storage.DataDir = defaultDataDir(containerDataDir)
	}
	if c.Queue.DataDir == "" {
		c.Queue.DataDir = filepath.Join(c.Storage.DataDir, "pruned")
	}
	return nil
}

// vectorsURL is the database's where it has none of its own (Open WebUI,
// config.py).
func (c *Config) vectorsURL() Secret {
	if c.Vectors.URL != "" {
		return c.Vectors.URL
	}
	return c.Database.URL
}

// defaultDataDir is Open WebUI's own default, which is relative to where its
// code lies.
func defaultDataDir(container string) string {
	if info, err := os.Stat(container); err == nil && info.IsDir() {
		return container
	}
	return "data"
}
