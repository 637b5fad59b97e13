// Package azure keeps the bytes of files in a container of Azure Blob Storage
// (STORAGE_PROVIDER=azure).
//
// Its central idea is that a blob goes with its snapshots or not at all. What is done with
// answers package bucket knows.
package azure

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

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/local"
)

// Options are Open WebUI's settings.
type Options struct {
	Endpoint  string // of the account, a URL
	Container string
	// Key is empty where the environment or the machine say who we are, as with Open
	// WebUI's client.
	Key      string
	Copies   *local.Store
	Versions bool
}

// client is the few requests that are made.
type client struct {
	account   *service.Client
	container *container.Client
	name      string
	versions  bool
	transport *http.Transport
}

var (
	_ bucket.Client    = (*client)(nil)
	_ bucket.Batched   = (*client)(nil)
	_ bucket.Versioned = (*client)(nil)
	_ bucket.Describer = (*client)(nil)
)

// tries of a request, with pauses between them that grow: 429, 503, a broken connection.
const tries = 5

// New returns the store, and asks nobody.
func New(o Options) (*bucket.Store, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" {
		return nil, errors.New("AZURE_STORAGE_ENDPOINT is no address of a server")
	}
	transport := bucket.NewTransport()
	clock := &bucket.Clock{Transport: transport}
	account, err := o.open(u, azcore.ClientOptions{
		Transport: &http.Client{Transport: clock},
		Retry:     policy.RetryOptions{MaxRetries: tries - 1, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 30 * time.Second},
	})
	if err != nil {
		return nil, fmt.Errorf("use Azure: %w", err)
	}
	return bucket.New(bucket.Options{
		Client: &client{account: account, container: account.NewContainerClient(o.Container), name: o.Container, versions: o.Versions, transport: transport}, Clock: clock,
		Name: o.Container + " at " + u.Host + u.Path, Root: o.Endpoint + "/" + o.Container + "/", Copies: o.Copies, Versions: o.Versions,
	}), nil
}

func (o Options) open(u *url.URL, options azcore.ClientOptions) (*service.Client, error) {
	address := strings.TrimRight(o.Endpoint, "/") + "/"
	if o.Key == "" {
		who, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: options})
		if err != nil {
			return nil, err
		}
		return service.NewClient(address, who, &service.ClientOptions{ClientOptions: options})
	}
	who, err := service.NewSharedKeyCredential(accountOf(u), o.Key)
	if err != nil {
		return nil, errors.New("AZURE_STORAGE_KEY is no key: it is not in base64")
	}
	return service.NewClientWithSharedKeyCredential(address, who, &service.ClientOptions{ClientOptions: options})
}

// accountOf reads an address as Open WebUI's client does: the account is its first word, or
// the path of a server that takes Azure's part.
func accountOf(u *url.URL) string {
	if account, _, is := strings.Cut(u.Host, ".blob.core."); is {
		return account
	}
	return strings.Trim(u.Path, "/")
}

func (c *client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

func (c *client) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for item, err := range c.list(ctx, prefix, container.ListBlobsInclude{}) {
			if err != nil {
				yield(bucket.Object{}, err)
				return
			}
			if !yield(objectOf(item), nil) {
				return
			}
		}
	}
}

// list lists page by page; a page is asked for when it is wanted.
func (c *client) list(ctx context.Context, prefix string, with container.ListBlobsInclude) iter.Seq2[*container.BlobItem, error] {
	return func(yield func(*container.BlobItem, error) bool) {
		for pages := c.container.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, Include: with}); pages.More(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, translate(err, "read"))
				return
			}
			for _, item := range page.Segment.BlobItems {
				if item.Name != nil && item.Properties != nil && !yield(item, nil) {
					return
				}
			}
		}
	}
}

// objectOf takes a time that is missing for now: nothing is removed that is young.
func objectOf(item *container.BlobItem) bucket.Object {
	o := bucket.Object{Key: *item.Name, Modified: time.Now()}
	if size := item.Properties.ContentLength; size != nil {
		o.Size = *size
	}
	if modified := item.Properties.LastModified; modified != nil {
		o.Modified = *modified
	}
	return o
}

func (c *client) Stat(ctx context.Context, key string) (o bucket.Object, there bool, err error) {
	answer, err := c.container.NewBlobClient(key).GetProperties(ctx, nil)
	if isMissing(err) {
		return o, false, nil
	}
	if err != nil {
		return o, false, translate(err, "read")
	}
	item := &container.BlobItem{Name: &key, Properties: &container.BlobProperties{ContentLength: answer.ContentLength, LastModified: answer.LastModified}}
	return objectOf(item), true, nil
}

func (c *client) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	answer, err := c.container.NewBlobClient(key).DownloadStream(ctx, nil)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, translate(err, "read")
	}
	return answer.Body, nil
}

// snapshots says what becomes of those of a blob that goes: without this one that has any
// stays.
func (c *client) snapshots() *blob.DeleteSnapshotsOptionType {
	if !c.versions {
		return nil
	}
	include := blob.DeleteSnapshotsOptionTypeInclude
	return &include
}

func (c *client) Remove(ctx context.Context, key string) error {
	_, err := c.container.NewBlobClient(key).Delete(ctx, &blob.DeleteOptions{DeleteSnapshots: c.snapshots()})
	return judgeRemoval(err)
}

// MaxBatch is as many as Azure takes.
func (c *client) MaxBatch() int { return 256 }

// RemoveBatch goes by the place of an answer: its name is that of a URL.
func (c *client) RemoveBatch(ctx context.Context, keys []string) (refused map[string]error, err error) {
	batch, err := c.container.NewBatchBuilder()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if err := batch.Delete(key, &container.BatchDeleteOptions{DeleteOptions: blob.DeleteOptions{DeleteSnapshots: c.snapshots()}}); err != nil {
			return nil, err
		}
	}
	answer, err := c.container.SubmitBatch(ctx, batch, nil)
	if status := statusOf(err); status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests || status == http.StatusNotImplemented {
		return nil, fmt.Errorf("%w: %w", bucket.ErrBatchRefused, translate(err, "delete"))
	}
	if err != nil {
		return nil, translate(err, "delete")
	}
	refused = map[string]error{}
	for _, one := range answer.Responses {
		if one.ContentID == nil || *one.ContentID < 0 || *one.ContentID >= len(keys) {
			continue
		}
		if err := judgeRemoval(one.Error); err != nil {
			refused[keys[*one.ContentID]] = fmt.Errorf("%w: %w", bucket.ErrRefused, err)
		}
	}
	return refused, nil
}

// RemoveVersions removes what is left of one blob that is gone: its earlier versions.
func (c *client) RemoveVersions(ctx context.Context, key string) error {
	left := 0
	for range 2 { // the second look finds none
		left = 0
		for item, err := range c.list(ctx, key, container.ListBlobsInclude{Versions: true}) {
			switch {
			case err != nil:
				return err
			case *item.Name != key || item.VersionID == nil:
				continue
			}
			left++
			version, err := c.container.NewBlobClient(key).WithVersionID(*item.VersionID)
			if err != nil {
				return err
			}
			if _, err := version.Delete(ctx, nil); judgeRemoval(err) != nil {
				return judgeRemoval(err)
			}
		}
		if left == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: %d of its versions are still there", bucket.ErrRefused, left)
}
