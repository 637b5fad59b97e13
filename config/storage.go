package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// Storage is where Open WebUI keeps the bytes.
type Storage struct {
	DataDir  string `name:"data-dir" env:"DATA_DIR" placeholder:"DIR" help:"Open WebUI's data folder; unset: the first of ., ./data and /app/backend/data that holds webui.db."`
	Provider string `name:"storage-provider" env:"STORAGE_PROVIDER" default:"local" help:"Where the bytes are: local."`
}

// UploadDir is the folder that Open WebUI uploads to. It has no variable of its
// own there (config.py: UPLOAD_DIR).
func (s Storage) UploadDir() string { return filepath.Join(s.DataDir, "uploads") }

// VectorDir is the folder of an embedded vector store, which has no variable of
// its own either.
func (s Storage) VectorDir() string { return filepath.Join(s.DataDir, "vector_db") }

// ByteStores are the names of the stores of bytes that can be set.
var ByteStores = []string{"local"}

var wantedBytes = "wanted " + strings.Join(ByteStores, " or ")

func (s Storage) checkProvider(ps *problems) {
	if !slices.Contains(ByteStores, s.Provider) {
		ps.addProblem("STORAGE_PROVIDER", "%q is not built yet: %s", s.Provider, wantedBytes)
	}
}
