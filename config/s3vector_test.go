package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestS3VectorThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	store := []string{"VECTOR_DB=s3vector", "PRUNED_UNPROVEN=s3vector"}
	assert.Equal(t, []string{
		"S3_VECTOR_BUCKET_NAME: is not set: wanted the bucket of Open WebUI's vectors",
		"S3_VECTOR_REGION: is not set: wanted the region of that bucket",
	}, lines(t, with(store...)))
	_, err := parse(with(append(store, "S3_VECTOR_BUCKET_NAME=b", "S3_VECTOR_REGION=r")...))
	require.NoError(t, err)
}
