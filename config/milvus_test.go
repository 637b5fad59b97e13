package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMilvusThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const wanted = "wanted http(s)://host:port of a Milvus server, in Open WebUI's settings too"
	for want, environ := range map[string][]string{
		"MILVUS_URI: is not set: Open WebUI then keeps its vectors in a file that only one process can open; " + wanted: nil,
		`MILVUS_URI: "/data/milvus.db" is a file, which only one process can open, and that is Open WebUI; ` + wanted:   {"MILVUS_URI=/data/milvus.db"},
		"MILVUS_URI: https://u:***@/x is no address of a server: " + wanted:                                             {"MILVUS_URI=https://u:hunter2@/x"},
		"MILVUS_URI: ftp://milvus is no address of a server: " + wanted:                                                 {"MILVUS_URI=ftp://milvus"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(environ, "VECTOR_DB=milvus")...)))
	}
	for _, uri := range []string{"http://milvus", "https://milvus:443/", "http://10.0.0.7:19530"} {
		_, err := parse(with("VECTOR_DB=milvus", "MILVUS_URI="+uri))
		require.NoError(t, err)
	}
}
