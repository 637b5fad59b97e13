package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Whatever is wrong with a setting, with a server, or with what it answers, no secret is in
// what commands say.
func TestSecretsShowInNoFailure(t *testing.T) {
	t.Parallel()
	p, mirror := plant(), newMirror(t)
	host, port, _ := strings.Cut(strings.TrimPrefix(mirror.URL, "http://"), ":")
	p["AZURE_STORAGE_KEY"] += "a" // now it is base64
	plantAccountKey(t, p)
	nats := startNATS(t)
	i := install(t, testenv.Vectors(small)).with("PRUNED_LOG_LEVEL=trace")
	server := testenv.NewServer(t, testenv.ServerOptions{Empty: true, Passwords: true})
	server.AddRole(t, "u", "another")
	refusing := strings.Replace(server.URL("postgres"), "postgres@", "u:%@", 1)
	commands := [][]string{{"doctor", "--quick"}, {"doctor", "--output", "json"}, {"run", "--once"}, {"trace", testenv.NewID()}, {"usage"}}
	for name, c := range map[string]struct {
		settings map[string]string
		says     string
	}{
		"database away":         {map[string]string{"DATABASE_URL": "postgresql://u:%@127.0.0.1:1/d"}, "connect to PostgreSQL"},
		"database refuses":      {map[string]string{"DATABASE_URL": refusing}, "password authentication failed"},
		"vectors refuse":        {map[string]string{"PGVECTOR_DB_URL": refusing}, "password authentication failed"},
		"database of parts":     {map[string]string{"DATABASE_TYPE": "postgresql", "DATABASE_USER": "u", "DATABASE_PASSWORD": "%", "DATABASE_HOST": "127.0.0.1", "DATABASE_PORT": "1", "DATABASE_NAME": "d"}, "connect to PostgreSQL"},
		"vectors away":          {map[string]string{"PGVECTOR_DB_URL": "postgresql://u:%@127.0.0.1:1/d"}, "connect"},
		"queue away":            {map[string]string{"NATS_URL": "nats://u:%@127.0.0.1:1"}, "connecting to the queue at nats://127.0.0.1:1"},
		"queue refuses":         {map[string]string{"NATS_URL": "nats://u:%@" + nats.Addr().String()}, "connecting to the queue"},
		"queue refuses a token": {map[string]string{"NATS_URL": "nats://%@" + nats.Addr().String()}, "connecting to the queue"},
		"S3 refuses":            {map[string]string{"STORAGE_PROVIDER": "s3", "S3_BUCKET_NAME": "bucket", "S3_ENDPOINT_URL": mirror.URL, "S3_REGION_NAME": "r", "S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": "%"}, "s3://bucket"},
		"Azure refuses":         {map[string]string{"STORAGE_PROVIDER": "azure", "AZURE_STORAGE_ENDPOINT": mirror.URL + "/account", "AZURE_STORAGE_CONTAINER_NAME": "c", "AZURE_STORAGE_KEY": "%"}, "it answered 403"},
		"Google refuses":        {map[string]string{"STORAGE_PROVIDER": "gcs", "GCS_BUCKET_NAME": "b", "GOOGLE_APPLICATION_CREDENTIALS_JSON": serviceAccount(p, mirror.URL)}, "Google"},
		"Google's key broken":   {map[string]string{"STORAGE_PROVIDER": "gcs", "GCS_BUCKET_NAME": "b", "GOOGLE_APPLICATION_CREDENTIALS_JSON": `{"type":"service_account","private_key":"%"}`}, "Google"},
		"Milvus is none":        {map[string]string{"VECTOR_DB": "milvus", "MILVUS_URI": mirror.URL, "MILVUS_TOKEN": "u:%"}, "Milvus"},
		"Qdrant refuses":        {map[string]string{"VECTOR_DB": "qdrant", "PRUNED_UNPROVEN": "qdrant", "QDRANT_URI": mirror.URL, "QDRANT_API_KEY": "%"}, "qdrant"},
		"Weaviate refuses":      {map[string]string{"VECTOR_DB": "weaviate", "WEAVIATE_HTTP_HOST": host, "WEAVIATE_HTTP_PORT": port, "WEAVIATE_API_KEY": "%"}, "weaviate"},
		"Elasticsearch refuses": {map[string]string{"VECTOR_DB": "elasticsearch", "PRUNED_UNPROVEN": "elasticsearch", "ELASTICSEARCH_URL": mirror.URL, "ELASTICSEARCH_API_KEY": "%"}, "elasticsearch"},
		"OpenSearch refuses":    {map[string]string{"VECTOR_DB": "opensearch", "OPENSEARCH_URI": mirror.URL, "OPENSEARCH_SSL": "false", "OPENSEARCH_USERNAME": "u", "OPENSEARCH_PASSWORD": "%"}, "opensearch"},
		"MariaDB away":          {map[string]string{"VECTOR_DB": "mariadb-vector", "MARIADB_VECTOR_DB_URL": "mariadb+mariadbconnector://u:%@127.0.0.1:1/d"}, "127.0.0.1:1"},
		"openGauss away":        {map[string]string{"VECTOR_DB": "opengauss", "PRUNED_UNPROVEN": "opengauss", "OPENGAUSS_DB_URL": "opengauss://u:%@127.0.0.1:1/d"}, "connect"},
		"Chroma refuses":        {map[string]string{"VECTOR_DB": "chroma", "CHROMA_HTTP_HOST": mirror.URL, "CHROMA_HTTP_HEADERS": "key=%"}, "Chroma"},
		"Chroma refuses a token": {map[string]string{"VECTOR_DB": "chroma", "CHROMA_HTTP_HOST": host, "CHROMA_HTTP_PORT": port,
			"CHROMA_CLIENT_AUTH_PROVIDER": "chromadb.auth.token_authn.TokenAuthClientProvider", "CHROMA_CLIENT_AUTH_CREDENTIALS": "%"}, "Chroma"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			commands := commands
			failing := i.with(p.valued(c.settings)...)
			var said strings.Builder
			if name == "Google refuses" {
				commands = commands[:1] // each asks again for a quarter of a minute
			}
			for _, command := range commands {
				_, out, errs := failing.pruned(t, "", append(command, "-v")...)
				fmt.Fprintln(&said, out, errs)
			}
			require.Contains(t, strings.ToLower(said.String()), strings.ToLower(c.says))
			p.requireAbsent(t, name, said.String())
		})
	}
}

// plantAccountKey makes the planted secret of Google's a part of a key that is one.
func plantAccountKey(t *testing.T, p plants) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	p["the account's key"] = text
	p["a line of the account's key"] = strings.Split(text, "\n")[2]
}

func serviceAccount(p plants, tokens string) string {
	text, _ := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": p["the account's key"], "client_email": "e@example.org", "token_uri": tokens + "/token",
	})
	return string(text)
}

// A setting that cannot be read is named, and not quoted where it is a secret, or may hold
// one: from the environment, from a file of its own, from an .env file.
func TestSecretsShowInNoComplaint(t *testing.T) {
	t.Parallel()
	p, dir := plant(), t.TempDir()
	addresses := []string{"MILVUS_URI", "CHROMA_HTTP_HOST", "S3_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT", "STORAGE_EMULATOR_HOST", "OPEN_WEBUI_URL"}
	for _, address := range addresses {
		p[address] = plant()["NATS_URL"]
	}
	for name := range p {
		one := plants{name: p[name]}
		for n, form := range []string{"%", "://%@", "postgresql://u:%@[broken", "http://u:%@host:1/?key=%", "a\x00%,y"} {
			if slices.Contains(addresses, name) && !strings.Contains(form, "@") {
				continue // it may be the name of a server
			}
			setting := one.valued(map[string]string{name: form})[0]
			file := filepath.Join(dir, fmt.Sprintf("%s-%d", name, n))
			require.NoError(t, os.WriteFile(file, []byte(setting[len(name)+1:]), 0o600))
			require.NoError(t, os.WriteFile(file+".env", []byte("export A='\n"+setting+"\"\n"+name+"=\""+setting), 0o600))
			for _, i := range []*installation{bare(append(use(name), setting)...), bare(append(use(name), name+"_FILE="+file)...)} {
				_, out, errs := i.pruned(t, "", "config", "-v")
				one.requireAbsent(t, "config", out+errs)
			}
			_, out, errs := bare().pruned(t, "", "config", "--env-file", file+".env")
			one.requireAbsent(t, "config", out+errs)
		}
	}
}

// use are the settings without which nobody looks at this one.
func use(name string) []string {
	for prefix, settings := range map[string][]string{
		"MILVUS": {"VECTOR_DB=milvus"}, "CHROMA": {"VECTOR_DB=chroma"}, "PGVECTOR": {"VECTOR_DB=pgvector", "PGVECTOR_PGCRYPTO=true"},
		"S3": {"STORAGE_PROVIDER=s3"}, "AZURE": {"STORAGE_PROVIDER=azure"}, "GOOGLE": {"STORAGE_PROVIDER=gcs"}, "STORAGE": {"STORAGE_PROVIDER=gcs"},
	} {
		if strings.HasPrefix(name, prefix) {
			return settings
		}
	}
	return nil
}
