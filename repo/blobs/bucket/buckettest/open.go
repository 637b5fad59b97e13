// Package buckettest is the one suite that every store of bytes in a bucket passes, beside
// package blobstest's.
//
// Its central idea is that a bucket is opened by Open WebUI's settings, and looked at by
// the server's own client: what the stores are called makes no difference to a case.
package buckettest

import (
	"context"
	"fmt"
	"strings"

	"pruned/repo/blobs/azure"
	"pruned/repo/blobs/bucket"
	"pruned/repo/blobs/gcs"
	"pruned/repo/blobs/local"
	"pruned/repo/blobs/s3"
	"pruned/repo/testenv"
)

// Options are beside what leads to the bucket.
type Options struct {
	Prefix   string
	Versions bool
	Copies   *local.Store
	Change   func(settings map[string]string) // of Open WebUI's; may be nil
}

// Open opens a bucket as the program does, by Open WebUI's settings.
func Open(ctx context.Context, b testenv.Bucket, o Options) (*bucket.Store, error) {
	set := map[string]string{}
	for _, setting := range b.Settings() {
		name, value, _ := strings.Cut(setting, "=")
		set[name] = value
	}
	if o.Change != nil {
		o.Change(set)
	}
	switch provider := set["STORAGE_PROVIDER"]; provider {
	case "s3":
		return s3.New(s3.Options{Endpoint: set["S3_ENDPOINT_URL"], Bucket: set["S3_BUCKET_NAME"], Prefix: o.Prefix,
			AccessKey: set["S3_ACCESS_KEY_ID"], SecretKey: set["S3_SECRET_ACCESS_KEY"], Copies: o.Copies, Versions: o.Versions})
	case "gcs":
		return gcs.New(ctx, gcs.Options{Bucket: set["GCS_BUCKET_NAME"], Emulator: set["STORAGE_EMULATOR_HOST"], Copies: o.Copies, Versions: o.Versions})
	case "azure":
		return azure.New(azure.Options{Endpoint: set["AZURE_STORAGE_ENDPOINT"], Container: set["AZURE_STORAGE_CONTAINER_NAME"], Key: set["AZURE_STORAGE_KEY"],
			Copies: o.Copies, Versions: o.Versions})
	default:
		return nil, fmt.Errorf("there is no store of bytes %q", provider)
	}
}
