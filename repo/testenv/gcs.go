package testenv

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// gcsVersion is that of the module of fake-gcs-server, which is built as a program: its
// modules are many.
const gcsVersion = "v1.56.1"

// gcs is fake-gcs-server. What it keeps in memory it goes through four times for each object
// that is written: 5,000 take 28 s of CPU, and 25,000 would take 25 times as much. Below a
// folder, which PRUNED_TEST_GCS=filesystem asks for, it does not, but takes no long names.
type gcs struct{ daemon }

const gcsBackend = "PRUNED_TEST_GCS"

// gcsRoot is a folder in memory for what is kept in a folder: each page of a listing reads
// all of it.
func gcsRoot() string {
	if root, ok := memoryRoot(); ok && os.Getenv(gcsBackend) == "filesystem" {
		return root
	}
	return ""
}

func runGCS(ctx context.Context) (ByteServer, error) {
	install, err := buildModule(ctx, "fake-gcs-server-"+gcsVersion, "github.com/fsouza/fake-gcs-server@"+gcsVersion)
	if err != nil {
		return nil, fmt.Errorf("build fake-gcs-server: %w", err)
	}
	s := &gcs{daemon{name: "gcs", root: gcsRoot(), program: filepath.Join(install, "fake-gcs-server")}}
	s.args = func(d *daemon) []string {
		return []string{"-scheme", "http", "-host", "127.0.0.1", "-port", fmt.Sprint(d.ports[0]), "-backend", cmp.Or(os.Getenv(gcsBackend), "memory"), "-filesystem-root", filepath.Join(d.dir, "buckets"), "-log-level", "error",
			"-external-url", "http://" + d.address(), "-public-host", d.address()}
	}
	s.ready = func(ctx context.Context) error {
		return s.ask(ctx, http.MethodGet, "/storage/v1/b?project=p", nil, nil)
	}
	return s, s.begin(ctx, 1)
}

// ask sends a request of the JSON API, and reads its answer into to, unless that is nil.
func (s *gcs) ask(ctx context.Context, method, path string, body []byte, to any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.address()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := bytesClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s %s", method, path, response.Status, tail(string(text)))
	case to == nil:
		return nil
	}
	return json.Unmarshal(text, to)
}

// bytesClient is used by many at once.
var bytesClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

// MakeBucket makes a bucket on this server.
func (s *gcs) MakeBucket(ctx context.Context, name string) (Bucket, error) {
	body, err := json.Marshal(map[string]any{"name": name, "versioning": map[string]bool{"enabled": false}})
	if err == nil {
		err = s.ask(ctx, http.MethodPost, "/storage/v1/b?project=p", body, nil)
	}
	return gcsBucket{s, name}, err
}

type gcsBucket struct {
	*gcs
	name string
}

func (b gcsBucket) Put(ctx context.Context, key string, content []byte) error {
	return b.ask(ctx, http.MethodPost, "/upload/storage/v1/b/"+b.name+"/o?uploadType=media&name="+url.QueryEscape(key), content, nil)
}

func (b gcsBucket) Keys(ctx context.Context) (keys []string, err error) {
	for token := ""; ; {
		var page struct {
			Items         []struct{ Name string }
			NextPageToken string
		}
		if err := b.ask(ctx, http.MethodGet, "/storage/v1/b/"+b.name+"/o?pageToken="+url.QueryEscape(token), nil, &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			keys = append(keys, item.Name)
		}
		if token = page.NextPageToken; token == "" {
			slices.Sort(keys)
			return keys, nil
		}
	}
}

func (b gcsBucket) RemoveMany(ctx context.Context, keys []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, key := range keys {
		group.Go(func() error {
			return b.ask(ctx, http.MethodDelete, "/storage/v1/b/"+b.name+"/o/"+url.PathEscape(key), nil, nil)
		})
	}
	return group.Wait()
}

func (b gcsBucket) Settings() []string {
	return []string{"STORAGE_PROVIDER=gcs", "STORAGE_EMULATOR_HOST=http://" + b.address(), "GCS_BUCKET_NAME=" + b.name}
}

func (b gcsBucket) Root() string { return "gs://" + b.name + "/" }
