package s3vector_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/document"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/types"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/s3vector"
	"pruned/vectors/vectorstest"
)

const region, secret = "eu-west-3", "s3cr3t-and-more"

// api is a bucket as the application uses it.
type api struct {
	client *s3vectors.Client
	bucket string
	url    string
}

// configurationOf is what AWS's settings would say.
func configurationOf(url string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("id", "key", secret)}
}

// newBucket is a bucket of its own.
func newBucket(t testing.TB, url string) *api {
	t.Helper()
	a := &api{client: s3vectors.NewFromConfig(configurationOf(url)), bucket: "b-" + uuid.NewString(), url: url}
	_, err := a.client.CreateVectorBucket(t.Context(), &s3vectors.CreateVectorBucketInput{VectorBucketName: &a.bucket})
	require.NoError(t, err)
	return a
}

// newMoto is one in moto.
func newMoto(t testing.TB) *api {
	t.Helper()
	return newBucket(t, testenv.SharedMoto(t).URL())
}

func (a *api) store(t testing.TB) *s3vector.Store {
	t.Helper()
	return a.storeAt(t, a.url)
}

func (a *api) storeAt(t testing.TB, url string) *s3vector.Store {
	t.Helper()
	store := s3vector.NewStore(configurationOf(url), s3vector.Options{Bucket: a.bucket, Region: region})
	t.Cleanup(store.Close)
	return store
}

// listIndexes are all: the servers of these tests have no pages of indexes unless asked for.
func (a *api) listIndexes(t testing.TB) (names []string) {
	t.Helper()
	in := &s3vectors.ListIndexesInput{VectorBucketName: &a.bucket}
	for {
		page, err := a.client.ListIndexes(context.Background(), in)
		require.NoError(t, err)
		for _, one := range page.Indexes {
			names = append(names, *one.IndexName)
		}
		if in.NextToken = page.NextToken; aws.ToString(in.NextToken) == "" {
			return names
		}
	}
}

func (a *api) createIndex(t testing.TB, name string) {
	t.Helper()
	_, err := a.client.CreateIndex(context.Background(), &s3vectors.CreateIndexInput{
		VectorBucketName: &a.bucket, IndexName: &name, DataType: types.DataTypeFloat32, Dimension: aws.Int32(2), DistanceMetric: types.DistanceMetricCosine,
		MetadataConfiguration: &types.MetadataConfiguration{NonFilterableMetadataKeys: []string{"text"}},
	})
	require.NoError(t, err)
}

func (a *api) drop(t testing.TB, index string) {
	t.Helper()
	_, err := a.client.DeleteIndex(context.Background(), &s3vectors.DeleteIndexInput{VectorBucketName: &a.bucket, IndexName: &index})
	require.NoError(t, err)
}

// insert stores chunks as the application does.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	sets := map[string][]types.PutInputVector{}
	for _, chunk := range chunks {
		one := types.PutInputVector{Key: aws.String(chunk.ID), Data: &types.VectorDataMemberFloat32{Value: []float32{1, 2}}}
		if metadata := chunk.Metadata(); metadata != nil {
			metadata["text"] = "the text of " + chunk.ID
			one.Metadata = document.NewLazyDocument(metadata)
		}
		sets[chunk.Collection] = append(sets[chunk.Collection], one)
	}
	there := map[string]bool{}
	for _, name := range a.listIndexes(t) {
		there[name] = true
	}
	for name, set := range sets {
		if !there[name] {
			a.createIndex(t, name)
		}
		for len(set) > 0 {
			n := min(500, len(set))
			_, err := a.client.PutVectors(context.Background(), &s3vectors.PutVectorsInput{VectorBucketName: &a.bucket, IndexName: aws.String(name), Vectors: set[:n]})
			require.NoError(t, err)
			set = set[n:]
		}
	}
}

func (a *api) left(t testing.TB) (keys []string) {
	t.Helper()
	for _, name := range a.listIndexes(t) {
		in := &s3vectors.ListVectorsInput{VectorBucketName: &a.bucket, IndexName: aws.String(name)}
		for more := true; more; more = aws.ToString(in.NextToken) != "" {
			page, err := a.client.ListVectors(context.Background(), in)
			require.NoError(t, err)
			for _, one := range page.Vectors {
				keys = append(keys, *one.Key)
			}
			in.NextToken = page.NextToken
		}
	}
	return keys
}

// takesID says whether a vector can have a key.
func takesID(id string) bool { return id != "" && len(id) <= 1024 && !strings.Contains(id, "\x00") }
