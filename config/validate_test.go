package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettingsOutOfBounds(t *testing.T) {
	t.Parallel()
	const number, duration = "wanted a whole number from ", "wanted a duration such as 90s, 24h or 30d, 0s or more"
	for variable, want := range map[string]string{
		"PRUNED_BATCH=0":                        "0 is out of range: " + number + "1 to 10000",
		"PRUNED_BATCH=10001":                    "10001 is out of range: " + number + "1 to 10000",
		"PRUNED_BATCH=-1":                       "-1 is out of range: " + number + "1 to 10000",
		"PRUNED_WORKERS=0":                      "0 is out of range: " + number + "1 to 64",
		"PRUNED_WORKERS=65":                     "65 is out of range: " + number + "1 to 64",
		"PRUNED_RATE=-1":                        "-1 is out of range: wanted a number, 0 or more",
		"PRUNED_RATE=NaN":                       "NaN is out of range: wanted a number, 0 or more",
		"PRUNED_RATE=Inf":                       "+Inf is out of range: wanted a number, 0 or more",
		"PRUNED_MAX_FRACTION=1.1":               "1.1 is out of range: wanted a number from 0 to 1",
		"PRUNED_MAX_FRACTION=-0.1":              "-0.1 is out of range: wanted a number from 0 to 1",
		"PRUNED_MAX_FRACTION=nan":               "NaN is out of range: wanted a number from 0 to 1",
		"PRUNED_MIN_AGE=-5m":                    "-5m0s is out of range: " + duration,
		"PRUNED_PENDING_AGE=-1ns":               "-1ns is out of range: " + duration,
		"PRUNED_ORPHAN_AGE=-1h":                 "-1h0m0s is out of range: " + duration,
		"PRUNED_CACHE_AGE=59m59s":               "59m59s is out of range: wanted a duration such as 24h or 720h, 1h0m0s or more, or 0 for never",
		"PRUNED_CACHE_AGE=-1h":                  "-1h0m0s is out of range: wanted a duration such as 24h or 720h, 1h0m0s or more, or 0 for never",
		"PRUNED_BYTES_DELAY=-1s":                "-1s is out of range: " + duration,
		"PRUNED_TRASH=-1s":                      "-1s is out of range: " + duration,
		"PRUNED_SWEEP_EVERY=-1s":                "-1s is out of range: " + duration,
		"PRUNED_RETENTION=-1s":                  "-1s is out of range: wanted a duration such as 90s, 24h or 30d, 100ms or more",
		"PRUNED_RETENTION=99ms":                 "99ms is out of range: wanted a duration such as 90s, 24h or 30d, 100ms or more",
		"PRUNED_STREAM=OTHER_DEAD":              `"OTHER_DEAD" may be a stream of another installation's: wanted a name that does not end in _DEAD`,
		"PRUNED_STREAM=other_deleted":           `"other_deleted" may be a stream of another installation's: wanted a name that does not end in _DELETED`,
		"PRUNED_NOTIFY_URL=hooks.lan/t0ken":     `is no address of a web server: wanted http://host/path or https://host/path`,
		"PRUNED_NOTIFY_URL=ftp://h":             `is no address of a web server: wanted http://host/path or https://host/path`,
		"PRUNED_NOTIFY_SECRET=0123456789abcdef": `is set, and PRUNED_NOTIFY_URL is not: wanted the address that it is for`,
		"PRUNED_STREAM=other_hints":             `"other_hints" may be a stream of another installation's: wanted a name that does not end in _HINTS`,
		"PRUNED_STREAM=other_later":             `"other_later" may be a stream of another installation's: wanted a name that does not end in _LATER`,
		"PRUNED_LEDGER_RETENTION=-1s":           "-1s is out of range: " + duration,
		"PRUNED_MAX_BYTES=1023KiB":              "1023 KiB is out of range: wanted a size such as 512MiB or 1GiB, 1.0 MiB or more",
		"PRUNED_LOG_LEVEL=loud":                 `"loud" is not known: wanted one of trace, debug, info, warn, error`,
		"PRUNED_LOG_FORMAT=xml":                 `"xml" is not known: wanted one of auto, json, console`,
		"PRUNED_ROWS=all":                       `"all" is not known: wanted one of keep, dangling`,
		"PRUNED_CITATIONS=delete":               `"delete" is not known: wanted one of keep, ignore`,
		"PRUNED_DEPARTED=delete":                `"delete" is not known: wanted one of keep, ignore`,
		"PRUNED_IGNORE=chat,a b":                `"a b" is neither a table nor a column: wanted table, table.column, schema.*, schema.table or schema.table.column, separated by commas`,
		"PRUNED_HTTP=8077":                      `"8077" is not an address: wanted host:port`,
		"PRUNED_HTTP=h:99999":                   `"h:99999" is not an address: wanted host:port`,
		"PRUNED_PPROF=6060":                     `"6060" is not an address: wanted host:port`,
		"PRUNED_PPROF=0.0.0.0:6060":             `"0.0.0.0:6060" can be reached from other machines: wanted a loopback address, such as 127.0.0.1:6060`,
		"PRUNED_NATS_LISTEN=nowhere":            `"nowhere" is not an address: wanted host:port`,
		"PRUNED_NATS_LISTEN=0.0.0.0:4222":       `"0.0.0.0:4222" can be reached from other machines: wanted a loopback address, such as 127.0.0.1:4222`,
		"PRUNED_NATS_LISTEN=:4222":              `":4222" can be reached from other machines: wanted a loopback address, such as 127.0.0.1:4222`,
		"PRUNED_NATS_LISTEN=host.lan:4222":      `"host.lan:4222" can be reached from other machines: wanted a loopback address, such as 127.0.0.1:4222`,
		"VECTOR_DB=lancedb":                     `"lancedb" is not built yet: ` + wantedVectors,
		"VECTOR_DB=PGVector":                    `"PGVector" is not built yet: ` + wantedVectors,
		"STORAGE_PROVIDER=ftp":                  `"ftp" is not built yet: ` + wantedBytes,
		"PRUNED_VERSIONS=some":                  `"some" is not known: wanted one of keep, delete`,
		"OPEN_WEBUI_URL=open-webui:8080":        "*** is not the address of a web server: " + wantedAPI,
		"OPEN_WEBUI_URL=http://u:hunter2@w":     "http://u:***@w is not the address of a web server: " + wantedAPI,
		"OPEN_WEBUI_URL=ws://w":                 "ws://w is not the address of a web server: " + wantedAPI,
		"OPEN_WEBUI_URL=http://w?token=hunter2": "http://w is not the address of a web server: " + wantedAPI,
		"NATS_URL=http://n:4222":                "http://n:4222 is not a list of NATS servers: " + wantedServers,
		"NATS_URL=nats://u:hunter2@":            "nats://u:***@ is not a list of NATS servers: " + wantedServers,
		"NATS_URL=nats://u:hunter2@n,":          "nats://u:***@n, is not a list of NATS servers: " + wantedServers,
	} {
		setting, _, _ := strings.Cut(variable, "=")
		assert.Equal(t, []string{setting + ": " + want}, lines(t, with(variable)), variable)
	}
}

// A cache is kept for ever, or for an hour at least.
func TestAgesOfTheCache(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 0, "0": 0, "0s": 0, "1h": time.Hour, "720h": 720 * time.Hour} {
		c, err := parse(with("PRUNED_CACHE_AGE=" + text))
		require.NoError(t, err, text)
		assert.Equal(t, want, c.Ages.Cache, text)
	}
}

func TestStreamNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PRUNED", "other", "a-b_C1", "DEAD", "LATER-1", strings.Repeat("x", 64)} {
		_, err := parse(with("PRUNED_STREAM=" + name))
		require.NoError(t, err, name)
	}
	for _, name := range []string{"a b", "a.b", "*", "a>", "a/b", `a\b`, "a\tb", "\x00", "bücher", "a$", strings.Repeat("x", 65)} {
		got := lines(t, with("PRUNED_STREAM="+name))
		require.Len(t, got, 1, name)
		assert.Contains(t, got[0], "PRUNED_STREAM: ")
		assert.Contains(t, got[0], " is not the name of a stream: wanted ")
	}
}

func TestSchemaNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"owui", "_Open-WebUI$1", "größe", strings.Repeat("x", 63)} {
		c, err := parse(with("DATABASE_SCHEMA=" + name))
		require.NoError(t, err, name)
		assert.Equal(t, name, c.Database.Schema)
	}
	for _, name := range []string{"1st", "a b", `a"b`, "a;b", "a.b", strings.Repeat("x", 64), strings.Repeat("ö", 32)} {
		got := lines(t, with("DATABASE_SCHEMA="+name))
		require.Len(t, got, 1, name)
		assert.Contains(t, got[0], "DATABASE_SCHEMA: ")
		assert.Contains(t, got[0], " is not the name of a schema: wanted ")
	}
}

func TestListenIsForTheEmbeddedQueue(t *testing.T) {
	t.Parallel()
	for _, environ := range [][]string{
		{"PRUNED_NATS_LISTEN=localhost:0"}, {"PRUNED_NATS_LISTEN=127.9.9.9:1"}, {"PRUNED_NATS_LISTEN=[::1]:4222"},
		{"PRUNED_NATS_LISTEN=0.0.0.0:4222", "NATS_URL=n:4222"},
	} {
		_, err := parse(with(environ...))
		assert.NoError(t, err, environ)
	}
}

func TestCredentialsOfTheQueue(t *testing.T) {
	t.Parallel()
	there, missing := file(t, "x"), filepath.Join(t.TempDir(), "missing")
	const url = "NATS_URL=nats://n"
	_, err := parse(with(url, "NATS_CREDS="+there, "NATS_CA="+there, "NATS_CERT="+there, "NATS_KEY="+there))
	require.NoError(t, err)
	require.Equal(t, []string{"NATS_URL: is not set, and NATS_CREDS is: wanted the servers that it is for"}, lines(t, with("NATS_CREDS="+there)))
	_, err = parse(with(url, "NATS_NKEY="+missing))
	require.ErrorIs(t, err, os.ErrNotExist)

	const seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
	const pem = "-----BEGIN PRIVATE KEY-----\nhunter2"
	for want, environ := range map[string][]string{
		"NATS_NKEY: is set, and NATS_CREDS too: wanted one of them":                                  {"NATS_CREDS=" + there, "NATS_NKEY=" + there},
		"NATS_KEY: is not set: wanted the key of NATS_CERT":                                          {"NATS_CERT=" + there},
		"NATS_CERT: is not set: wanted the certificate of NATS_KEY":                                  {"NATS_KEY=" + there},
		"NATS_NKEY: is what should be in a file: wanted the path of that file":                       {"NATS_NKEY=" + seed},
		"NATS_KEY: is what should be in a file: wanted the path of that file":                        {"NATS_CERT=" + there, "NATS_KEY=" + pem},
		`NATS_CA: "` + missing + `" cannot be read: open ` + missing + `: no such file or directory`: {"NATS_CA=" + missing},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(environ, url)...)))
	}
}

func TestEncryptedVectorsNeedTheirKey(t *testing.T) {
	t.Parallel()
	want := []string{"PGVECTOR_PGCRYPTO_KEY: is not set: wanted Open WebUI's, as PGVECTOR_PGCRYPTO is true"}
	assert.Equal(t, want, lines(t, with("VECTOR_DB=pgvector", "PGVECTOR_PGCRYPTO=true")))
	_, err := parse(with("PGVECTOR_PGCRYPTO=true"))
	assert.NoError(t, err, "the store is none")
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{
		"PRUNED_WROKERS: is not a setting: wanted one that is, such as PRUNED_WORKERS",
		`PRUNED_RATE: "x" cannot be read: wanted a number`,
		"DATABASE_URL: is not set, nor is DATA_DIR, and there is no webui.db in ., data, /app/backend/data: " + wantedDatabase + ", or Open WebUI's data folder in DATA_DIR",
		"VECTOR_DB: \"lancedb\" is not built yet: " + wantedVectors,
		"PRUNED_BATCH: 0 is out of range: wanted a whole number from 1 to 10000",
		`PRUNED_LOG_LEVEL: "?" is not known: wanted one of trace, debug, info, warn, error`,
	}, lines(t, []string{"PRUNED_WROKERS=1", "PRUNED_RATE=x", "PRUNED_LOG_LEVEL=?", "VECTOR_DB=lancedb"}, "--batch=0"))
}

func TestValidateAgain(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{
		"DATABASE_TYPE=postgresql+psycopg2", "DATABASE_USER=u", "DATABASE_PASSWORD=p%2F%25", "DATABASE_HOST=db",
		"DATABASE_PORT=5432", "DATABASE_NAME=webui", "VECTOR_DB=pgvector",
	})
	require.NoError(t, err)
	again := c
	require.NoError(t, again.Validate())
	require.NoError(t, again.AfterApply())
	assert.Equal(t, c, again)
}
