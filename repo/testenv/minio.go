package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// minioVersion is the last of a server that publishes no more archives: it is built from
// its module, which takes minutes, once.
const minioVersion = "v0.0.0-20260212201848-7aac2a2c5b7c"

// runMinIO starts MinIO, which knows one user here.
func runMinIO(ctx context.Context) (*S3, error) {
	install, err := buildModule(ctx, "minio-"+minioVersion, "github.com/minio/minio@"+minioVersion)
	if err != nil {
		return nil, fmt.Errorf("build MinIO: %w", err)
	}
	s := &S3{daemon: daemon{name: "minio", program: filepath.Join(install, "minio"), args: func(d *daemon) []string {
		return []string{"server", "--address", d.address(), "--console-address", fmt.Sprintf("127.0.0.1:%d", d.ports[1]), filepath.Join(d.dir, "data")}
	}}}
	s.env = []string{"MINIO_ROOT_USER=" + S3AccessKey, "MINIO_ROOT_PASSWORD=" + S3SecretKey, "MINIO_BROWSER=off"}
	s.ready = func(ctx context.Context) error {
		client, err := s.Client()
		if err == nil {
			_, err = client.ListBuckets(ctx)
		}
		return err
	}
	return s, s.begin(ctx, 2)
}

// buildModule builds a program of a module with what built this one, into a folder of the
// cache.
func buildModule(ctx context.Context, name, program string) (dir string, err error) {
	return Cached(ctx, name, func(ctx context.Context, dir string) error {
		return command{
			program: "go", args: []string{"install", program},
			env: append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS="), dir: dir,
		}.run(ctx)
	})
}
