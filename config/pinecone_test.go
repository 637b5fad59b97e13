package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPineconeThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	store := []string{"VECTOR_DB=pinecone", "PRUNED_UNPROVEN=pinecone"}
	assert.Equal(t, []string{
		"PINECONE_API_KEY: is not set: wanted Open WebUI's, or one with the roles ControlPlaneViewer and DataPlaneEditor",
	}, lines(t, with(store...)))
	c, err := parse(with(append(store, "PINECONE_API_KEY=k")...))
	require.NoError(t, err)
	assert.Equal(t, "open-webui-index", c.Pinecone.Index)
}
