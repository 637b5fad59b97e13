package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWeaviateThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for want, environ := range map[string][]string{
		"WEAVIATE_HTTP_HOST: is not set: wanted the host of Open WebUI's Weaviate server":                                nil,
		"WEAVIATE_HTTP_HOST: https://u:***@weaviate is no host: wanted a name or an address alone, as Open WebUI has it": {"WEAVIATE_HTTP_HOST=https://u:hunter2@weaviate"},
		"WEAVIATE_HTTP_HOST: *** is no host: wanted a name or an address alone, as Open WebUI has it":                    {"WEAVIATE_HTTP_HOST=weaviate:8080"},
		"WEAVIATE_HTTP_PORT: 0 is no port: wanted 1 to 65535":                                                            {"WEAVIATE_HTTP_HOST=weaviate", "WEAVIATE_HTTP_PORT=0"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(environ, "VECTOR_DB=weaviate")...)))
	}
	for _, host := range []string{"weaviate", "10.0.0.7", "::1"} {
		_, err := parse(with("VECTOR_DB=weaviate", "WEAVIATE_HTTP_HOST="+host))
		require.NoError(t, err)
	}
}
