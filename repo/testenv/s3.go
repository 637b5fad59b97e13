package testenv

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// The keys of the server's users: one who may do everything, and one who may only read,
// whom SeaweedFS alone knows.
const (
	S3AccessKey   = "pruned-test"
	S3SecretKey   = "pruned-test-secret"
	S3ReadOnlyKey = "pruned-test-reader"
)

// S3 is a server that keeps buckets. Its methods are for one goroutine, its buckets for all.
type S3 struct{ daemon }

// s3Variable names another server than SeaweedFS: minio.
const s3Variable = "PRUNED_TEST_S3"

// IsMinIO says which server the tests were told to take.
func IsMinIO() bool { return os.Getenv(s3Variable) == "minio" }

// RunS3 starts a server for programs, which End it.
func RunS3(ctx context.Context) (*S3, error) {
	switch name := os.Getenv(s3Variable); name {
	case "", "seaweedfs":
		return runSeaweed(ctx)
	case "minio":
		return runMinIO(ctx)
	default:
		return nil, fmt.Errorf("%s is %q: wanted seaweedfs or minio", s3Variable, name)
	}
}

// NewBucket makes a bucket on the server that all tests of this process have in common,
// and returns a client of that server.
func NewBucket(t testing.TB, name string) (*S3, *minio.Client) {
	t.Helper()
	server := SharedBytes(t, "s3").(*S3)
	_, err := server.MakeBucket(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// Endpoint is the address of the server, without a scheme.
func (s *S3) Endpoint() string { return s.address() }

// Client is one that may do everything.
func (s *S3) Client() (*minio.Client, error) {
	return minio.New(s.Endpoint(), &minio.Options{
		Creds: credentials.NewStaticV4(S3AccessKey, S3SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	})
}
