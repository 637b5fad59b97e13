package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestElasticsearchThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const wanted = " is no address of a server: wanted http(s)://host:port, as Open WebUI has it"
	store := []string{"VECTOR_DB=elasticsearch", "PRUNED_UNPROVEN=elasticsearch"}
	for want, environ := range map[string][]string{
		"ELASTICSEARCH_URL: https://u:***@e" + wanted: {"ELASTICSEARCH_URL=https://u:hunter2@e"},
		"ELASTICSEARCH_URL: ftp://e:1" + wanted:       {"ELASTICSEARCH_URL=ftp://e:1"},
		"ELASTICSEARCH_CLOUD_ID: is refused, as Open WebUI's client refuses it beside ELASTICSEARCH_URL, which has a default: wanted the address there":                 {"ELASTICSEARCH_CLOUD_ID=name:aG9zdA=="},
		"ELASTICSEARCH_API_KEY: is set, and so are ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD, which Open WebUI's client refuses: wanted one of the two":         {"ELASTICSEARCH_API_KEY=hunter2", "ELASTICSEARCH_USERNAME=u", "ELASTICSEARCH_PASSWORD=hunter2"},
		`SSL_ASSERT_FINGERPRINT: "aa:bb" is no SHA-256: wanted its 64 hexadecimal digits`:                                                                               {"SSL_ASSERT_FINGERPRINT=aa:bb"},
		`ELASTICSEARCH_INDEX_PREFIX: "*" is nothing that a name of an index begins with: wanted Open WebUI's`:                                                           {"ELASTICSEARCH_INDEX_PREFIX=*"},
		`ELASTICSEARCH_INDEX_PREFIX: "a,b" is nothing that a name of an index begins with: wanted Open WebUI's`:                                                         {"ELASTICSEARCH_INDEX_PREFIX=a,b"},
		`ELASTICSEARCH_INDEX_PREFIX: "-a" is nothing that a name of an index begins with: wanted Open WebUI's`:                                                          {"ELASTICSEARCH_INDEX_PREFIX=-a"},
		`VECTOR_DB: "elasticsearch" was tested on a stand-in alone, OpenSearch 2.19.6: wanted PRUNED_UNPROVEN=elasticsearch where that is enough for you, or --dry-run`: {"PRUNED_UNPROVEN=opengauss"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(store[:2:2], environ...)...)))
	}
	for _, environ := range [][]string{
		nil, {"ELASTICSEARCH_URL=http://u:p@10.0.0.7:9200/below"}, {"ELASTICSEARCH_INDEX_PREFIX=team.1-a"},
		{"SSL_ASSERT_FINGERPRINT=" + strings.Repeat("aB:", 31) + "aB"}, {"ELASTICSEARCH_API_KEY=k", "ELASTICSEARCH_USERNAME=u"},
	} {
		_, err := parse(with(append(store[:2:2], environ...)...))
		require.NoError(t, err)
	}
}
