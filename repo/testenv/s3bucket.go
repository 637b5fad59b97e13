package testenv

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/minio/minio-go/v7"
)

// S3Bucket is a bucket that speaks S3.
type S3Bucket struct {
	Name, Endpoint string // the second without a scheme
	Client         *minio.Client
}

var _ Bucket = S3Bucket{}

// MakeBucket makes a bucket on this server.
func (s *S3) MakeBucket(ctx context.Context, name string) (b S3Bucket, err error) {
	b = S3Bucket{Name: name, Endpoint: s.Endpoint()}
	if b.Client, err = s.Client(); err == nil {
		err = b.Client.MakeBucket(ctx, name, minio.MakeBucketOptions{})
	}
	return b, err
}

// Put puts an object in one piece.
func (b S3Bucket) Put(ctx context.Context, key string, content []byte) error {
	_, err := b.Client.PutObject(ctx, b.Name, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true})
	return err
}

// Keys are in order.
func (b S3Bucket) Keys(ctx context.Context) (keys []string, err error) {
	for o := range b.Client.ListObjectsIter(ctx, b.Name, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return keys, ctx.Err()
}

// RemoveMany sends lists of a thousand.
func (b S3Bucket) RemoveMany(ctx context.Context, keys []string) error {
	objects := make(chan minio.ObjectInfo)
	go func() {
		defer close(objects)
		for _, key := range keys {
			objects <- minio.ObjectInfo{Key: key}
		}
	}()
	var failed []error
	for answer := range b.Client.RemoveObjectsWithResult(ctx, b.Name, objects, minio.RemoveObjectsOptions{}) {
		failed = append(failed, answer.Err)
	}
	return errors.Join(failed...)
}

// Settings have the keys of a user who may do everything.
func (b S3Bucket) Settings() []string {
	return []string{"STORAGE_PROVIDER=s3", "S3_ENDPOINT_URL=http://" + b.Endpoint, "S3_BUCKET_NAME=" + b.Name,
		"S3_ACCESS_KEY_ID=" + S3AccessKey, "S3_SECRET_ACCESS_KEY=" + S3SecretKey}
}

// Root names the bucket.
func (b S3Bucket) Root() string { return "s3://" + b.Name + "/" }
