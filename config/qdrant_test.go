package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQdrantThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const wanted = "wanted http(s)://host:port of Open WebUI's Qdrant server"
	for want, environ := range map[string][]string{
		"QDRANT_URI: is not set: " + wanted:                                    nil,
		"QDRANT_URI: *** is no address of a server: " + wanted:                 {"QDRANT_URI=qdrant:6333"},
		"QDRANT_URI: grpc://u:***@qdrant is no address of a server: " + wanted: {"QDRANT_URI=grpc://u:hunter2@qdrant"},
		"QDRANT_URI: http://qdrant is no address of a server: " + wanted:       {"QDRANT_URI=http://qdrant?api-key=hunter2"},
		"QDRANT_URI: http://qdrant:6334 has the port of gRPC, QDRANT_GRPC_PORT: wanted that of HTTP of the same server, 6333 unless it is set otherwise":                            {"QDRANT_URI=http://qdrant:6334", "QDRANT_PREFER_GRPC=true"},
		`VECTOR_DB: "qdrant" was tested on a stand-in alone, Qdrant's own engine behind a server of ours: wanted PRUNED_UNPROVEN=qdrant where that is enough for you, or --dry-run`: {"QDRANT_URI=http://qdrant", "PRUNED_UNPROVEN=opengauss"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append([]string{"VECTOR_DB=qdrant", "PRUNED_UNPROVEN=qdrant"}, environ...)...)))
	}
	for _, uri := range []string{"http://qdrant", "https://qdrant/below", "http://[::1]:80"} {
		c, err := parse(with("VECTOR_DB=qdrant", "PRUNED_UNPROVEN=qdrant", "QDRANT_URI="+uri))
		require.NoError(t, err)
		assert.True(t, c.Qdrant.Multitenancy)
		assert.False(t, c.Qdrant.IsSecure())
	}
}

// Open WebUI's client sends a key by TLS alone where it prefers gRPC, whatever the address says.
func TestQdrantKeyGoesByTLS(t *testing.T) {
	t.Parallel()
	assert.True(t, Qdrant{URI: "http://qdrant", APIKey: "k", PreferGRPC: true}.IsSecure())
	assert.False(t, Qdrant{URI: "http://qdrant", APIKey: "k"}.IsSecure())
	assert.False(t, Qdrant{URI: "http://qdrant", PreferGRPC: true}.IsSecure())
}
