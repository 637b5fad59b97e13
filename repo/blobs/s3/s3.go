// Package s3 keeps the bytes of files in a bucket that speaks S3 (STORAGE_PROVIDER=s3).
//
// Its central idea is to send no key that a server reads as another, and to ask for what it
// answers as little as possible. What is done with answers package bucket knows.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
)

// Options are Open WebUI's settings.
type Options struct {
	Endpoint string // a URL; empty: Amazon's
	Region   string
	Bucket   string
	Prefix   string
	// AccessKey and SecretKey are empty where the environment, AWS's files or the machine
	// say who we are, as with Open WebUI's client.
	AccessKey, SecretKey string
	Addressing           string // auto, path or virtual
	Copies               *local.Store
	Versions             bool
}

// client is the few requests that are made.
type client struct {
	server    *minio.Client
	bucket    string
	transport *http.Transport
}

var (
	_ bucket.Client    = (*client)(nil)
	_ bucket.Batched   = (*client)(nil)
	_ bucket.Seeker    = (*client)(nil)
	_ bucket.Versioned = (*client)(nil)
	_ bucket.Describer = (*client)(nil)
)

const (
	amazon = "https://s3.amazonaws.com"
	// tries of a request, with pauses between them that grow: 429, 503, a broken connection.
	tries = 5
)

// New returns the store, and asks nobody.
func New(o Options) (*bucket.Store, error) {
	address := o.Endpoint
	if address == "" {
		address = amazon
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("the endpoint of S3 is no address of a server")
	}
	transport := bucket.NewTransport()
	clock := &bucket.Clock{Transport: transport}
	server, err := minio.New(u.Host, &minio.Options{
		Creds: o.credentials(), Secure: u.Scheme == "https", Transport: clock, MaxRetries: tries,
		Region: o.region(), BucketLookup: addressing[o.Addressing],
	})
	if err != nil {
		return nil, fmt.Errorf("use S3: %w", err)
	}
	return bucket.New(bucket.Options{
		Client: &client{server: server, bucket: o.Bucket, transport: transport}, Clock: clock,
		Name: "s3://" + o.Bucket + "/" + o.Prefix + " at " + u.Host, Root: "s3://" + o.Bucket + "/", Prefix: o.Prefix,
		Copies: o.Copies, Versions: o.Versions,
	}), nil
}

var addressing = map[string]minio.BucketLookupType{"path": minio.BucketLookupPath, "virtual": minio.BucketLookupDNS}

// region is what requests are signed for. Amazon is asked where the bucket lies; others
// seldom mind, and may not let us ask.
func (o Options) region() string {
	if o.Region == "" && o.Endpoint != "" {
		return "us-east-1"
	}
	return o.Region
}

func (o Options) credentials() *credentials.Credentials {
	if o.AccessKey != "" && o.SecretKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Timeout: 10 * time.Second}},
	})
}

func (c *client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

func (c *client) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return c.ListAfter(ctx, prefix, "")
}

func (c *client) ListAfter(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for o := range c.server.ListObjectsIter(ctx, c.bucket, minio.ListObjectsOptions{Prefix: prefix, StartAfter: after, Recursive: true}) {
			if o.Err != nil {
				yield(bucket.Object{}, translate(o.Err, "s3:ListBucket"))
				return
			}
			if !yield(objectOf(o), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(bucket.Object{}, err) // the library's sequence just ends
		}
	}
}

func objectOf(o minio.ObjectInfo) bucket.Object {
	return bucket.Object{Key: o.Key, Size: o.Size, Modified: o.LastModified}
}

func (c *client) Stat(ctx context.Context, key string) (o bucket.Object, there bool, err error) {
	info, err := c.server.StatObject(ctx, c.bucket, key, minio.StatObjectOptions{})
	if isMissing(err) {
		return o, false, nil
	}
	if err != nil {
		return o, false, translate(err, "s3:GetObject and s3:ListBucket")
	}
	o = objectOf(info)
	o.Key = key
	return o, true, nil
}

func (c *client) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	content, _, _, err := minio.Core{Client: c.server}.GetObject(ctx, c.bucket, key, minio.GetObjectOptions{})
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, translate(err, "s3:GetObject and s3:ListBucket")
	}
	return content, nil
}

func (c *client) Remove(ctx context.Context, key string) error { return c.removeVersion(ctx, key, "") }

// MaxBatch is as many as S3 takes.
func (c *client) MaxBatch() int { return 1000 }

// RemoveBatch takes from the answers only what they say of keys that were asked for.
func (c *client) RemoveBatch(ctx context.Context, keys []string) (refused map[string]error, err error) {
	objects := func(yield func(minio.ObjectInfo) bool) {
		for _, key := range keys {
			if !yield(minio.ObjectInfo{Key: key}) {
				return
			}
		}
	}
	answers, err := c.server.RemoveObjectsWithIter(ctx, c.bucket, objects, minio.RemoveObjectsOptions{})
	if err != nil {
		return nil, err
	}
	refused = map[string]error{}
	for answer := range answers {
		said := minio.ToErrorResponse(answer.Err)
		switch {
		case answer.Err == nil || isMissing(answer.Err):
		case said.Code != "" && said.StatusCode == 0: // about one object
			refused[answer.ObjectName] = fmt.Errorf("%w: %w", bucket.ErrRefused, translate(answer.Err, "s3:DeleteObject"))
		case isRefusal(said.StatusCode):
			return nil, fmt.Errorf("%w: %w", bucket.ErrBatchRefused, answer.Err)
		default:
			return nil, translate(answer.Err, "s3:DeleteObject")
		}
	}
	return refused, ctx.Err()
}

// isRefusal says that a server would answer the same again.
func isRefusal(status int) bool {
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests || status == http.StatusNotImplemented
}

func (c *client) removeVersion(ctx context.Context, key, version string) error {
	err := c.server.RemoveObject(ctx, c.bucket, key, minio.RemoveObjectOptions{VersionID: version})
	right := "s3:DeleteObject"
	if version != "" {
		right = "s3:DeleteObjectVersion"
	}
	switch answer := minio.ToErrorResponse(err); {
	case err == nil || isMissing(err):
		return nil
	case refusals[answer.Code]:
		return fmt.Errorf("%w: %w", bucket.ErrRefused, translate(err, right))
	}
	return translate(err, right)
}

// refusals are answers about one key. A version that is locked is an InvalidRequest.
var refusals = map[string]bool{"AccessDenied": true, "InvalidRequest": true, "KeyTooLongError": true, "XMinioInvalidObjectName": true, "InvalidArgument": true}

// RemoveVersions removes all versions of one key, and the marks of its removal.
func (c *client) RemoveVersions(ctx context.Context, key string) error {
	left := 0
	for range 2 { // the second look finds none
		left = 0
		for o := range c.server.ListObjectsIter(ctx, c.bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}) {
			switch {
			case o.Err != nil:
				return translate(o.Err, "s3:ListBucketVersions")
			case o.Key != key:
				continue
			}
			left++
			if err := c.removeVersion(ctx, key, o.VersionID); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil || left == 0 {
			return err
		}
	}
	return fmt.Errorf("%w: %d of its versions are still there", bucket.ErrRefused, left)
}

func isMissing(err error) bool {
	answer := minio.ToErrorResponse(err)
	return err != nil && (answer.Code == minio.NoSuchKey || answer.Code == "NoSuchVersion")
}

// rightError names the right that a key lacks.
type rightError struct {
	right string
	err   error
}

func (e *rightError) Error() string {
	return fmt.Sprintf("%v: the key that S3_ACCESS_KEY_ID names needs %s", e.err, e.right)
}
func (e *rightError) Unwrap() error { return e.err }

// translate names the right where that is missing, and leaves out the URL of a request
// that failed: it may hold a token.
func translate(err error, right string) error {
	var request *url.Error
	if errors.As(err, &request) {
		return fmt.Errorf("ask S3: %w", request.Err)
	}
	if minio.ToErrorResponse(err).Code == "AccessDenied" {
		return &rightError{right, err}
	}
	return err
}
