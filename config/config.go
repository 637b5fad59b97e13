// Package config is everything an operator can set: flags, environment
// variables (Open WebUI's own where it has one), files that hold secrets.
//
// Its central idea is that a Config which left Parse is right: every setting
// was read, checked against the others and completed before anything is
// opened, and all that is wrong is told at once. It is cut into small parts by
// who needs them; only the command sees the whole. The package knows no
// database driver, no queue and no store.
package config

import (
	"errors"
	"fmt"
)

// Config is embedded in the command line's struct. A setting's flag is its
// variable's name without PRUNED_, in lower case; one with the tag flagless
// has none, so that a secret never shows in a list of processes. Every
// secret.Text can also come from the file that NAME_FILE names.
type Config struct {
	EnvFile envFile `name:"env-file" placeholder:"FILE" help:"Open WebUI's own .env, for what the environment does not set."`

	Database      Database      `embed:"" group:"Open WebUI's database"`
	Vectors       Vectors       `embed:"" group:"Open WebUI's vectors"`
	Chroma        Chroma        `embed:"" group:"Open WebUI's vectors"`
	Elasticsearch Elasticsearch `embed:"" group:"Open WebUI's vectors"`
	MariaDB       MariaDB       `embed:"" group:"Open WebUI's vectors"`
	Milvus        Milvus        `embed:"" group:"Open WebUI's vectors"`
	OpenGauss     OpenGauss     `embed:"" group:"Open WebUI's vectors"`
	Pinecone      Pinecone      `embed:"" group:"Open WebUI's vectors"`
	Qdrant        Qdrant        `embed:"" group:"Open WebUI's vectors"`
	S3Vector      S3Vector      `embed:"" group:"Open WebUI's vectors"`
	Valkey        Valkey        `embed:"" group:"Open WebUI's vectors"`
	Weaviate      Weaviate      `embed:"" group:"Open WebUI's vectors"`
	OpenSearch    OpenSearch    `embed:"" group:"Open WebUI's vectors"`
	Storage       Storage       `embed:"" group:"Open WebUI's uploads"`
	S3            S3            `embed:"" group:"Open WebUI's uploads"`
	GCS           GCS           `embed:"" group:"Open WebUI's uploads"`
	Azure         Azure         `embed:"" group:"Open WebUI's uploads"`
	OpenWebUI     OpenWebUI     `embed:"" group:"Open WebUI's API"`
	Queue         Queue         `embed:"" group:"Queue"`
	Consumer      Consumer      `embed:"" group:"Batches"`
	Ages          Ages          `embed:"" group:"Ages"`
	Sweep         Sweep         `embed:"" group:"Sweeps"`
	HTTP          HTTP          `embed:"" group:"HTTP"`
	Notify        Notify        `embed:"" group:"Notifications"`
	Log           Log           `embed:"" group:"Log"`

	// Assumed is what was not set and taken for granted, a sentence each.
	Assumed []string `kong:"-"`
}

// Validate says everything that is wrong, a line each: the setting, its value
// unless that is secret, and what was wanted. kong calls it after parsing.
func (c *Config) Validate() error {
	var ps problems
	c.Database.checkDatabase(&ps)
	c.checkDefaultDatabase(&ps)
	c.checkDataDir(&ps)
	c.checkVectors(&ps)
	c.checkBytes(&ps)
	c.OpenWebUI.checkAPI(&ps)
	c.Queue.checkQueue(&ps)
	c.Consumer.checkBatches(&ps)
	c.Ages.checkAges(&ps)
	c.Sweep.checkSweeps(&ps)
	c.HTTP.checkHTTP(&ps)
	c.Notify.checkNotify(&ps)
	c.Log.checkLog(&ps)
	return errors.Join(ps...)
}

// AfterApply completes what depends on other settings. kong calls it after
// Validate.
func (c *Config) AfterApply() error {
	if c.Storage.DataDir == "" {
		c.Storage.DataDir = defaultDataDir(dataDirs(), containerDataDir)
		if !c.Database.isDefault() {
			c.noteAssumption("DATA_DIR is not set: taken for %s", c.Storage.DataDir)
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

func (c *Config) noteAssumption(format string, args ...any) {
	c.Assumed = append(c.Assumed, fmt.Sprintf(format, args...))
}
