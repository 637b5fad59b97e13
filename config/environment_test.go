package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/config/secret"
)

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"PRUNED_BACTH=1":           "PRUNED_BACTH: is not a setting: wanted one that is, such as PRUNED_BATCH",
		"PRUNED_MINAGE=":           "PRUNED_MINAGE: is not a setting: wanted one that is, such as PRUNED_MIN_AGE",
		"PRUNED_BATCH_FILE=/b":     "PRUNED_BATCH_FILE: is not a setting: wanted one that is, such as PRUNED_BATCH",
		"PRUNED_WEBHOOK_TOKNE=x":   "PRUNED_WEBHOOK_TOKNE: is not a setting: wanted one that is, such as PRUNED_WEBHOOK_TOKEN",
		"PRUNED_WEBHOOK_TOKENFILE": "PRUNED_WEBHOOK_TOKENFILE: is not a setting: wanted one that is, such as PRUNED_WEBHOOK_TOKEN_FILE",
	} {
		assert.Equal(t, []string{want}, lines(t, with(variable)))
	}
}

func TestUnknownVariablesAreSorted(t *testing.T) {
	t.Parallel()
	got := lines(t, with("PRUNED_C=", "PRUNED_A=", "PRUNED_B="))
	require.Len(t, got, 3)
	assert.IsIncreasing(t, got)
}

func TestVariablesOfOthers(t *testing.T) {
	t.Parallel()
	_, err := parse(with(
		"PRUNED_SERVICE_HOST=10.0.0.1", "PRUNED_SERVICE_PORT=8077", "PRUNED_SERVICE_PORT_HTTP=8077",
		"PRUNED_PORT=tcp://10.0.0.1:8077", "PRUNED_PORT_8077_TCP_ADDR=10.0.0.1",
		"PRUNED_NATS_SERVICE_HOST=10.0.0.2", "PRUNED_NATS_SERVICE_PORT_CLIENT=4222", "PRUNED_NATS_PORT=tcp://10.0.0.2:4222",
		"PRUNED_NATS_PORT_4222_TCP=tcp://10.0.0.2:4222", "PRUNED_NATS_PORT_4222_TCP_PROTO=tcp",
		"pruned_batch=x", "XPRUNED_X=1", "CHROMA_HTTP_HOST=c", "S3_BUCKET_NAME=b", "=odd", "odd",
	))
	require.NoError(t, err)
	assert.Len(t, lines(t, with("PRUNED_HTTP_PORT=8077", "PRUNED_PORT=8077")), 2)
}

func TestValuesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"PRUNED_BATCH=many":           `PRUNED_BATCH: "many" cannot be read: wanted a whole number`,
		"PRUNED_BATCH=1.5":            `PRUNED_BATCH: "1.5" cannot be read: wanted a whole number`,
		"PRUNED_RATE=fast":            `PRUNED_RATE: "fast" cannot be read: wanted a number`,
		"PRUNED_DRY_RUN=perhaps":      `PRUNED_DRY_RUN: "perhaps" cannot be read: wanted true or false`,
		"PRUNED_MIN_AGE=24":           `PRUNED_MIN_AGE: "24" cannot be read: wanted a duration such as 90s, 24h or 30d`,
		"PRUNED_RETENTION=7w":         `PRUNED_RETENTION: "7w" cannot be read: wanted a duration such as 90s, 24h or 30d`,
		"PRUNED_MAX_BYTES=big":        `PRUNED_MAX_BYTES: "big" cannot be read: wanted a size such as 512MiB or 1GiB`,
		"PRUNED_MAX_BYTES=9007199 PB": `PRUNED_MAX_BYTES: "9007199 PB" cannot be read: wanted a size such as 512MiB or 1GiB`,
	} {
		assert.Equal(t, []string{want}, lines(t, with(variable)))
	}
}

func TestDurationsTakeDays(t *testing.T) {
	t.Parallel()
	c, err := parse(with("PRUNED_RETENTION=7d", "PRUNED_TRASH=0d", "PRUNED_MIN_AGE=1h30m"))
	require.NoError(t, err)
	assert.Equal(t, 7*24*time.Hour, c.Queue.Retention)
	assert.Zero(t, c.Consumer.Trash)
	assert.Equal(t, 90*time.Minute, c.Ages.Min)
	for _, text := range []string{"d", "1.5d", "36501d", "1d12h", "7w", "", "9"} {
		_, err := ParseDuration(text)
		assert.Error(t, err, text)
	}
}

func TestEmptyIsUnset(t *testing.T) {
	t.Parallel()
	c, err := parse(with("PRUNED_BATCH=", "NATS_URL=", "DATABASE_SCHEMA=", "PRUNED_WEBHOOK_TOKEN=", "PRUNED_WEBHOOK_TOKEN_FILE="))
	require.NoError(t, err)
	assert.Equal(t, 500, c.Consumer.Batch)
	assert.True(t, c.Queue.IsEmbedded())
	assert.Empty(t, c.HTTP.WebhookToken)
}

func TestTruthIsOpenWebUIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"true": true, "TRUE": true, "1": false, "yes": false, "false": false} {
		c, err := parse(with("PGVECTOR_PGCRYPTO=" + text))
		require.NoError(t, err)
		assert.Equal(t, want, c.Vectors.PGCrypto, text)
	}
	c, err := parse(usable, "--pgvector-pgcrypto")
	require.NoError(t, err)
	assert.True(t, c.Vectors.PGCrypto)
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]secret.Text{
		token: token, token + "\n": token, token + "\r\n": token, token + "\n\n": token + "\n",
	} {
		c, err := parse(with("PRUNED_WEBHOOK_TOKEN_FILE=" + file(t, content)))
		require.NoError(t, err)
		assert.Equal(t, want, c.HTTP.WebhookToken)
	}
}

func TestEverySecretFromAFile(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{
		"DATABASE_URL_FILE=" + file(t, "postgresql://u:p@db/webui\n"), "VECTOR_DB=pgvector",
		"PGVECTOR_DB_URL_FILE=" + file(t, "postgresql://u:p@db/vectors\n"),
		"PGVECTOR_PGCRYPTO=true", "PGVECTOR_PGCRYPTO_KEY_FILE=" + file(t, "key"),
		"PRUNED_WEBHOOK_TOKEN_FILE=" + file(t, token), "NATS_URL_FILE=" + file(t, "nats://u:p@n:4222\n"),
	})
	require.NoError(t, err)
	assert.Equal(t, secret.Text("postgresql://u:p@db/webui"), c.Database.URL)
	assert.Equal(t, secret.Text("postgresql://u:p@db/vectors"), c.Vectors.URL)
	assert.Equal(t, secret.Text("key"), c.Vectors.PGCryptoKey)
	assert.Equal(t, secret.Text(token), c.HTTP.WebhookToken)
	assert.Equal(t, secret.Text("nats://u:p@n:4222"), c.Queue.URL)

	c, err = parse([]string{
		"DATABASE_TYPE=postgresql", "DATABASE_USER=u", "DATABASE_PASSWORD_FILE=" + file(t, "p\n"),
		"DATABASE_HOST=db", "DATABASE_PORT=5432", "DATABASE_NAME=webui", "VECTOR_DB=none",
	})
	require.NoError(t, err)
	assert.Equal(t, secret.Text("postgresql://u:p@db:5432/webui"), c.Database.URL)
}

func TestSecretFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	missing, empty := filepath.Join(t.TempDir(), "nothing"), file(t, "\n")
	assert.Equal(t,
		[]string{`PRUNED_WEBHOOK_TOKEN_FILE: "` + missing + `" cannot be read: open ` + missing + `: no such file or directory`},
		lines(t, with("PRUNED_WEBHOOK_TOKEN_FILE="+missing)))
	assert.Equal(t,
		[]string{`NATS_URL_FILE: "` + empty + `" cannot be read: it is empty`},
		lines(t, with("NATS_URL_FILE="+empty)))
	assert.Equal(t,
		[]string{"PRUNED_WEBHOOK_TOKEN: is set, and PRUNED_WEBHOOK_TOKEN_FILE too: wanted one of them"},
		lines(t, with("PRUNED_WEBHOOK_TOKEN="+token, "PRUNED_WEBHOOK_TOKEN_FILE="+file(t, "b"))))

	_, err := parse(with("PRUNED_WEBHOOK_TOKEN_FILE=" + missing))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestUnreadSecretIsNotAlsoMissing(t *testing.T) {
	t.Parallel()
	got := lines(t, []string{"DATABASE_URL_FILE=/nowhere/at/all"})
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "DATABASE_URL_FILE: ")
}
