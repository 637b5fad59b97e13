package s3vector_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3vectors"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases in moto, beside
// what the application does for a filter, which no request has: it lists each index, and
// deletes by keys. FILES=10000 unless it is set.
func BenchmarkRemove(b *testing.B) {
	vectorstest.BenchmarkRemovals(b, func() vectorstest.Bulk {
		a := newMoto(b)
		return vectorstest.Bulk{Fixture: vectorstest.Fixture{Store: a.store(b), Insert: a.insert, Left: a.left}, DeleteFiles: a.deleteFiles}
	})
}

// deleteFiles lists all pages of each index.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	meant := vectors.Set(files)
	for _, index := range a.listIndexes(t) {
		pages := s3vectors.NewListVectorsPaginator(a.client, &s3vectors.ListVectorsInput{VectorBucketName: &a.bucket, IndexName: &index, ReturnMetadata: true})
		var keys []string
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, one := range page.Vectors {
				var metadata map[string]any
				require.NoError(t, one.Metadata.UnmarshalSmithyDocument(&metadata))
				if file, _ := metadata["file_id"].(string); meant[file] {
					keys = append(keys, *one.Key)
				}
			}
		}
		for some := range slices.Chunk(keys, 500) {
			_, err := a.client.DeleteVectors(t.Context(), &s3vectors.DeleteVectorsInput{VectorBucketName: &a.bucket, IndexName: &index, Keys: some})
			require.NoError(t, err)
		}
	}
}
