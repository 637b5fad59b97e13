package openwebui

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// The vector stores that Start knows how to configure.
const (
	PGVector = "pgvector"
	Chroma   = "chroma"
	Milvus   = "milvus"
)

// Options says what an Open WebUI is started on.
type Options struct {
	// DatabaseURL as Open WebUI takes it; empty is SQLite in DataDir.
	DatabaseURL string
	// DataDir holds uploads, the embedded vector store, the log. It must exist.
	DataDir string
	// VectorDB is PGVector (in the database of DatabaseURL), Chroma (embedded, in DataDir), or
	// Milvus (at the MILVUS_URI of Env).
	VectorDB string
	// Env adds to the application's environment, or overrides it.
	Env map[string]string
}

// environment lists NAME=value. It is built from nothing, so that a setting of the person who runs
// the tests (a DATABASE_URL, a key) does not reach the application.
func (o Options) environment(stubURL string) []string {
	env := map[string]string{
		"PATH":   os.Getenv("PATH"),
		"HOME":   o.DataDir,
		"LANG":   "C.UTF-8",
		"TMPDIR": os.TempDir(),

		// As the package's own command does: the front end and the version come from the package.
		"FROM_INIT_PY": "true",
		"DATA_DIR":     o.DataDir,
		// By default it empties and fills a folder inside the package, which other tests share.
		"STATIC_DIR":       filepath.Join(o.DataDir, "static"),
		"VECTOR_DB":        o.VectorDB,
		"WEBUI_SECRET_KEY": "the same after a restart, so that tokens stay valid",

		// A slim image may use pgvector alone.
		"USE_SLIM_DOCKER":    slim(o.VectorDB),
		"OFFLINE_MODE":       "true",
		"HF_HUB_OFFLINE":     "1",
		"ENABLE_OLLAMA_API":  "false",
		"DO_NOT_TRACK":       "true",
		"SCARF_NO_ANALYTICS": "true",
		// Lets webhooks reach 127.0.0.1.
		"ENABLE_LOCAL_WEB_FETCH": "true",

		"OPENAI_API_BASE_URL":      stubURL + "/v1",
		"OPENAI_API_KEY":           "none",
		"RAG_EMBEDDING_ENGINE":     "openai",
		"RAG_EMBEDDING_MODEL":      Model,
		"RAG_EMBEDDING_BATCH_SIZE": "100",
		"RAG_OPENAI_API_BASE_URL":  stubURL + "/v1",
		"RAG_OPENAI_API_KEY":       "none",

		"AUDIO_TTS_ENGINE":              "openai",
		"AUDIO_TTS_OPENAI_API_BASE_URL": stubURL + "/v1",
		"AUDIO_STT_ENGINE":              "openai",
		"AUDIO_STT_OPENAI_API_BASE_URL": stubURL + "/v1",
		// Recordings are sent as they are: nobody needs an ffmpeg.
		"BYPASS_PYDUB_PREPROCESSING": "true",
	}
	if o.DatabaseURL != "" {
		env["DATABASE_URL"] = o.DatabaseURL
	}
	maps.Copy(env, o.Env)
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

func slim(vectorDB string) string {
	return strconv.FormatBool(vectorDB == PGVector)
}
