package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettingsOfGCS(t *testing.T) {
	t.Parallel()
	gcs := []string{"DATABASE_URL=postgres://db/webui", "VECTOR_DB=none", "STORAGE_PROVIDER=gcs", "GCS_BUCKET_NAME=b"}
	_, err := parse(gcs)
	require.NoError(t, err, "a bucket is all that it needs")
	_, err = parse(append(gcs, `GOOGLE_APPLICATION_CREDENTIALS_JSON={"type": "service_account"}`, "STORAGE_EMULATOR_HOST=http://gcs.lan:4443"))
	require.NoError(t, err)
	for setting, want := range map[string]string{
		"GCS_BUCKET_NAME=":    `GCS_BUCKET_NAME: is not set: wanted Open WebUI's, as STORAGE_PROVIDER is gcs`,
		"GCS_BUCKET_NAME=b/c": `GCS_BUCKET_NAME: "b/c" is no bucket: wanted its name alone`,
		"GOOGLE_APPLICATION_CREDENTIALS_JSON=/run/key.json":  `GOOGLE_APPLICATION_CREDENTIALS_JSON: is not the JSON of a service account: wanted its key, not the name of its file`,
		"STORAGE_EMULATOR_HOST=http://user:password@gcs.lan": `STORAGE_EMULATOR_HOST: http://user:***@gcs.lan is no address of a server: wanted http(s)://host:port`,
	} {
		_, err := parse(append(gcs, setting))
		assert.EqualError(t, err, want)
	}
}

func TestSettingsOfAzure(t *testing.T) {
	t.Parallel()
	azure := []string{"DATABASE_URL=postgres://db/webui", "VECTOR_DB=none", "STORAGE_PROVIDER=azure",
		"AZURE_STORAGE_ENDPOINT=https://account.blob.core.windows.net", "AZURE_STORAGE_CONTAINER_NAME=c"}
	_, err := parse(azure)
	require.NoError(t, err)
	_, err = parse(append(azure, "AZURE_STORAGE_ENDPOINT=http://azurite:10000/devstoreaccount1", "AZURE_STORAGE_KEY=a2V5"))
	require.NoError(t, err)
	for setting, want := range map[string]string{
		"AZURE_STORAGE_ENDPOINT=":           `AZURE_STORAGE_ENDPOINT: is not set: wanted Open WebUI's, as STORAGE_PROVIDER is azure`,
		"AZURE_STORAGE_ENDPOINT=account":    `AZURE_STORAGE_ENDPOINT: *** is no address of a server: wanted http(s)://host:port[/ACCOUNT]`,
		"AZURE_STORAGE_CONTAINER_NAME=":     `AZURE_STORAGE_CONTAINER_NAME: "" is no container: wanted Open WebUI's, as STORAGE_PROVIDER is azure`,
		"AZURE_STORAGE_KEY=my secret words": `AZURE_STORAGE_KEY: is no key of an account: wanted base64`,
	} {
		_, err := parse(append(azure, setting))
		assert.EqualError(t, err, want)
	}
}
