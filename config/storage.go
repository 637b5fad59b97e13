package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// Storage is where Open WebUI keeps the bytes.
type Storage struct {
	DataDir  string `name:"data-dir" env:"DATA_DIR" placeholder:"DIR" help:"Open WebUI's data folder; unset: the first of ., ./data and /app/backend/data that holds webui.db."`
	Provider string `name:"storage-provider" env:"STORAGE_PROVIDER" default:"local" help:"Where the bytes are: local, s3, gcs or azure."`
	Versions string `name:"versions" env:"PRUNED_VERSIONS" default:"keep" help:"What becomes of the versions and snapshots of bytes that are removed from a bucket which keeps them: keep or delete."`
}

// UploadDir is the folder that Open WebUI uploads to. It has no variable of its
// own there (config.py: UPLOAD_DIR).
func (s Storage) UploadDir() string { return filepath.Join(s.DataDir, "uploads") }

// VectorDir is the folder of an embedded vector store, which has no variable of
// its own either.
func (s Storage) VectorDir() string { return filepath.Join(s.DataDir, "vector_db") }

// ByteStores are the names of the stores of bytes that can be set.
var ByteStores = []string{"local", "s3", "gcs", "azure"}

var wantedBytes = "wanted one of " + strings.Join(ByteStores, ", ")

func (c *Config) checkBytes(ps *problems) {
	checkOneOf(ps, "PRUNED_VERSIONS", c.Storage.Versions, "keep", "delete")
	switch provider := c.Storage.Provider; {
	case provider == "s3":
		c.S3.checkS3(ps)
	case provider == "gcs":
		c.GCS.checkGCS(ps)
	case provider == "azure":
		c.Azure.checkAzure(ps)
	case !slices.Contains(ByteStores, provider):
		ps.addProblem("STORAGE_PROVIDER", "%q is not built yet: %s", provider, wantedBytes)
	}
}

// RemovesVersions says whether what is removed is removed with all its versions.
func (s Storage) RemovesVersions() bool { return s.Versions == "delete" }
