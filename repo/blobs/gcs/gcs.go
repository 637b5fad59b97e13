// Package gcs keeps the bytes of files in a bucket of Google Cloud Storage
// (STORAGE_PROVIDER=gcs).
//
// Its central idea is one request for each object: this store has no other. What is done
// with answers package bucket knows.
package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/storage/v1"
	googlehttp "google.golang.org/api/transport/http"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
)

// Options are Open WebUI's settings.
type Options struct {
	Bucket string
	// Credentials are the JSON of a service account; empty where the environment or the
	// machine say who we are, as with Open WebUI's client.
	Credentials string
	// Emulator is the address of a server that takes Google's part; empty: Google's.
	Emulator string
	Copies   *local.Store
	Versions bool
}

// client is the few requests that are made.
type client struct {
	objects   *storage.ObjectsService
	buckets   *storage.BucketsService
	bucket    string
	transport *http.Transport
}

var (
	_ bucket.Client    = (*client)(nil)
	_ bucket.Seeker    = (*client)(nil)
	_ bucket.Versioned = (*client)(nil)
	_ bucket.Describer = (*client)(nil)
)

const (
	tries    = 5 // of a request
	pageSize = 1000
)

// New returns the store, and asks nobody but who we are, if the settings do not say it.
func New(ctx context.Context, o Options) (*bucket.Store, error) {
	transport := bucket.NewTransport()
	clock := &bucket.Clock{Transport: transport}
	authorized, err := googlehttp.NewTransport(ctx, clock, o.identity()...)
	if err != nil {
		return nil, fmt.Errorf("use Google Cloud Storage: %w", err)
	}
	settings := []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: bucket.Retry{Transport: authorized, Tries: tries}})}
	host := "storage.googleapis.com"
	if o.Emulator != "" {
		u, err := url.Parse(o.Emulator)
		if err != nil || u.Host == "" {
			return nil, errors.New("STORAGE_EMULATOR_HOST is no address of a server")
		}
		host = u.Host
		settings = append(settings, option.WithEndpoint(u.JoinPath("storage/v1/").String()))
	}
	service, err := storage.NewService(ctx, settings...)
	if err != nil {
		return nil, fmt.Errorf("use Google Cloud Storage: %w", err)
	}
	return bucket.New(bucket.Options{
		Client: &client{objects: service.Objects, buckets: service.Buckets, bucket: o.Bucket, transport: transport}, Clock: clock,
		Name: "gs://" + o.Bucket + "/ at " + host, Root: "gs://" + o.Bucket + "/", Copies: o.Copies, Versions: o.Versions,
	}), nil
}

func (o Options) identity() []option.ClientOption {
	scope := option.WithScopes(storage.DevstorageReadWriteScope)
	switch {
	case o.Emulator != "":
		return []option.ClientOption{option.WithoutAuthentication()}
	case o.Credentials != "":
		return []option.ClientOption{option.WithAuthCredentialsJSON(option.ServiceAccount, []byte(o.Credentials)), scope}
	}
	return []option.ClientOption{scope}
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
		for o, err := range c.list(ctx, prefix, after, false) {
			if err != nil {
				yield(bucket.Object{}, err)
				return
			}
			if o.Name != after && !yield(objectOf(o), nil) {
				return
			}
		}
	}
}

// list lists page by page; a page is asked for when it is wanted.
func (c *client) list(ctx context.Context, prefix, from string, versions bool) iter.Seq2[*storage.Object, error] {
	return func(yield func(*storage.Object, error) bool) {
		call := c.objects.List(c.bucket).Prefix(prefix).Versions(versions).MaxResults(pageSize).Fields("nextPageToken", "items(name,size,updated,generation)")
		if from != "" {
			call.StartOffset(from)
		}
		for token := ""; ; {
			page, err := call.PageToken(token).Context(ctx).Do()
			if err != nil {
				yield(nil, translate(err, "storage.objects.list"))
				return
			}
			for _, o := range page.Items {
				if !yield(o, nil) {
					return
				}
			}
			if token = page.NextPageToken; token == "" {
				return
			}
		}
	}
}

// objectOf takes a time that cannot be read for now: nothing is removed that is young.
func objectOf(o *storage.Object) bucket.Object {
	modified, err := time.Parse(time.RFC3339Nano, o.Updated)
	if err != nil {
		modified = time.Now()
	}
	return bucket.Object{Key: o.Name, Size: int64(o.Size), Modified: modified} // #nosec G115 -- no object is so large
}

func (c *client) Stat(ctx context.Context, key string) (o bucket.Object, there bool, err error) {
	answer, err := c.objects.Get(c.bucket, key).Fields("name", "size", "updated").Context(ctx).Do()
	if hasStatus(err, http.StatusNotFound) {
		return o, false, nil
	}
	if err != nil {
		return o, false, translate(err, "storage.objects.get")
	}
	return objectOf(answer), true, nil
}

func (c *client) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	answer, err := c.objects.Get(c.bucket, key).Context(ctx).Download()
	if hasStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, translate(err, "storage.objects.get")
	}
	return answer.Body, nil
}

func (c *client) Remove(ctx context.Context, key string) error {
	return judgeRemoval(c.objects.Delete(c.bucket, key).Context(ctx).Do())
}

// judgeRemoval: a hold and a retention are a 403 too.
func judgeRemoval(err error) error {
	switch {
	case err == nil || hasStatus(err, http.StatusNotFound):
		return nil
	case hasStatus(err, http.StatusForbidden) || hasStatus(err, http.StatusPreconditionFailed) || hasStatus(err, http.StatusBadRequest):
		return fmt.Errorf("%w: %w", bucket.ErrRefused, translate(err, "storage.objects.delete"))
	}
	return translate(err, "storage.objects.delete")
}

// RemoveVersions removes all generations of one object.
func (c *client) RemoveVersions(ctx context.Context, key string) error {
	left := 0
	for range 2 { // the second look finds none
		left = 0
		for o, err := range c.list(ctx, key, "", true) {
			switch {
			case err != nil:
				return err
			case o.Name != key:
				continue
			}
			left++
			if err := judgeRemoval(c.objects.Delete(c.bucket, key).Generation(o.Generation).Context(ctx).Do()); err != nil {
				return err
			}
		}
		if left == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: %d of its generations are still there", bucket.ErrRefused, left)
}

func hasStatus(err error, status int) bool {
	var answer *googleapi.Error
	return errors.As(err, &answer) && answer.Code == status
}

// translate names the right where that is missing, and leaves out the URL of a request
// that failed, and headers and body of an answer.
func translate(err error, right string) error {
	var answer *googleapi.Error
	var request *url.Error
	switch {
	case errors.As(err, &answer):
		err = fmt.Errorf("it answered %d: %s", answer.Code, strings.ToValidUTF8(answer.Message, "?"))
		if answer.Code == http.StatusForbidden {
			err = fmt.Errorf("%w: the account needs %s", err, right)
		}
	case errors.As(err, &request):
		err = fmt.Errorf("ask Google Cloud Storage: %w", request.Err)
	}
	return err
}
