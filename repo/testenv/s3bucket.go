package testenv

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/minio/minio-go/v7"
)

// s3Bucket is a bucket that speaks S3.
type s3Bucket struct {
	name, endpoint string // the second without a scheme
	client         *minio.Client
}

// MakeBucket makes a bucket on this server.
func (s *S3) MakeBucket(ctx context.Context, name string) (Bucket, error) {
	client, err := s.Client()
	if err == nil {
		err = client.MakeBucket(ctx, name, minio.MakeBucketOptions{})
	}
	return s3Bucket{name, s.Endpoint(), client}, err
}

func (b s3Bucket) Put(ctx context.Context, key string, content []byte) error {
	_, err := b.client.PutObject(ctx, b.name, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true})
	return err
}

func (b s3Bucket) Keys(ctx context.Context) (keys []string, err error) {
	for o := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return keys, ctx.Err()
}

func (b s3Bucket) RemoveMany(ctx context.Context, keys []string) error {
	objects := make(chan minio.ObjectInfo)
	go func() {
		defer close(objects)
		for _, key := range keys {
			objects <- minio.ObjectInfo{Key: key}
		}
	}()
	var failed []error
	for answer := range b.client.RemoveObjectsWithResult(ctx, b.name, objects, minio.RemoveObjectsOptions{}) {
		failed = append(failed, answer.Err)
	}
	return errors.Join(failed...)
}

func (b s3Bucket) Settings() []string {
	return []string{"STORAGE_PROVIDER=s3", "S3_ENDPOINT_URL=http://" + b.endpoint, "S3_BUCKET_NAME=" + b.name,
		"S3_ACCESS_KEY_ID=" + S3AccessKey, "S3_SECRET_ACCESS_KEY=" + S3SecretKey}
}

func (b s3Bucket) Root() string { return "s3://" + b.name + "/" }
