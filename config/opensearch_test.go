package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpenSearchThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const wanted = " is no address of a server: wanted http(s)://host:port, as Open WebUI has it"
	for want, environ := range map[string][]string{
		"OPENSEARCH_URI: https://u:***@/x" + wanted: {"OPENSEARCH_URI=https://u:hunter2@/x"},
		"OPENSEARCH_URI: https://o/index" + wanted:  {"OPENSEARCH_URI=https://o/index"},
		"OPENSEARCH_URI: ftp://o" + wanted:          {"OPENSEARCH_URI=ftp://o"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(environ, "VECTOR_DB=opensearch")...)))
	}
	for _, uri := range []string{"http://o:9200", "https://o", "https://u:p@10.0.0.7:443/"} {
		_, err := parse(with("VECTOR_DB=opensearch", "OPENSEARCH_URI="+uri))
		require.NoError(t, err)
	}
}
