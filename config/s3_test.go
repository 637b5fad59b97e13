package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettingsOfS3(t *testing.T) {
	t.Parallel()
	s3 := []string{"DATABASE_URL=postgres://db/webui", "VECTOR_DB=none", "STORAGE_PROVIDER=s3", "S3_BUCKET_NAME=b"}
	_, err := parse(s3)
	require.NoError(t, err, "a bucket is all that it needs")
	_, err = parse(append(s3, "S3_KEY_PREFIX=/team//files/"))
	require.NoError(t, err)
	for setting, want := range map[string]string{
		"S3_BUCKET_NAME=":                 `S3_BUCKET_NAME: is not set: wanted Open WebUI's, as STORAGE_PROVIDER is s3`,
		"S3_ENDPOINT_URL=s3.lan":          `S3_ENDPOINT_URL: *** is no address of a server: wanted http(s)://host:port`,
		"S3_ENDPOINT_URL=http://s3.lan/b": `S3_ENDPOINT_URL: http://s3.lan/b is no address of a server: wanted http(s)://host:port`,
		"S3_KEY_PREFIX=a/../b":            `S3_KEY_PREFIX: "a/../b" has a part that is only dots, which servers read differently: wanted one without`,
		"S3_ADDRESSING_STYLE=host":        `S3_ADDRESSING_STYLE: "host" is not known: wanted one of auto, path, virtual`,
	} {
		_, err := parse(append(s3, setting))
		assert.EqualError(t, err, want)
	}
}
