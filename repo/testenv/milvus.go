package testenv

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const (
	// milvusVersion is the newest engine that is to be had as a package.
	milvusVersion = "2.3.5"
	// milvusLite is the small server, with the client that Open WebUI 0.12.4 pins, whose
	// messages it speaks by.
	milvusLite = "milvus-lite==3.2.2 pymilvus==2.6.14 faiss-cpu==1.15.1 grpcio==1.85.3 numpy==2.4.6 packaging==26.4 pyarrow==26.0.1 " +
		"typing-extensions==4.16.0 cachetools==8.0.2 orjson==3.13.0 pandas==3.1.1 protobuf==7.36.2 python-dateutil==4.0.0 " +
		"python-dotenv==1.2.4 requests==2.34.2 certifi==2026.10.19.post1 charset-normalizer==3.5.3 idna==3.20 urllib3==2.8.0"
)

// MilvusToken is what a guarded server wants to see of its administrator.
const MilvusToken = "root:Milvus"

// MilvusOptions are the choices for a server of one's own.
type MilvusOptions struct {
	// Guarded has it ask who its clients are.
	Guarded bool
}

// Milvus is a server of vectors: the engine, or milvus-lite.
type Milvus struct {
	dir     string
	ports   []int                          // the first is that of its clients
	command func(ports []string) *exec.Cmd // that starts it
	process *process
}

// URL is the address of the server.
func (m *Milvus) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", m.ports[0]) }

var (
	sharedMilvus     common[*Milvus]
	sharedMilvusLite common[*Milvus]
)

// SharedMilvus is the engine that all tests of this process have in common. Main stops it.
func SharedMilvus(t testing.TB) *Milvus {
	t.Helper()
	return sharedMilvus.get(t, func(ctx context.Context) (*Milvus, error) { return RunMilvus(ctx, MilvusOptions{}) })
}

// SharedMilvusLite is the same of milvus-lite.
func SharedMilvusLite(t testing.TB) *Milvus {
	t.Helper()
	return sharedMilvusLite.get(t, RunMilvusLite)
}

// StartMilvus starts an engine of one's own, which stops with the test.
func StartMilvus(t testing.TB, options MilvusOptions) *Milvus {
	t.Helper()
	return ownMilvus(t, func(ctx context.Context) (*Milvus, error) { return RunMilvus(ctx, options) })
}

// StartMilvusLite is the same of milvus-lite.
func StartMilvusLite(t testing.TB) *Milvus {
	t.Helper()
	return ownMilvus(t, RunMilvusLite)
}

func ownMilvus(t testing.TB, run func(context.Context) (*Milvus, error)) *Milvus {
	t.Helper()
	m, err := run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.End(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// unpackProgram takes the server out of its wheel, which packs each file alone.
const unpackProgram = `import milvus, shutil, sys, os
milvus._initialize_data_files(sys.argv[1])
shutil.rmtree(os.path.join(os.path.dirname(milvus.__file__), "data", "bin"))`

// milvusProgram writes the settings as the wheel's own starter does, and becomes the
// server. The ports of etcd that the starter does not know are in a file of etcd's own;
// collections are loaded as soon as that can be seen, and there may be many databases. A
// port is free although the kernel remembers connections there that have ended.
const milvusProgram = `import os, socket, sys, milvus
install, data, guarded, *ports = sys.argv[1:]
names = ["proxy", "proxy_internal", "etcd", "root_coord", "query_coord", "query_node", "index_coord", "index_node", "data_coord", "data_node"]
class Config(milvus.MilvusServerConfig):
    def try_bind_port(self, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
        return sock
config = Config(data_dir=data, **{name + "_port": port for name, port in zip(names, ports)})
client, peer = ("http://127.0.0.1:" + port for port in (ports[2], ports[10]))
etcd = os.path.join(data, "etcd.yaml")
with open(etcd, "w") as file:
    file.write(f"name: one\nlisten-client-urls: {client}\nadvertise-client-urls: {client}\nlisten-peer-urls: {peer}\n"
               f"initial-advertise-peer-urls: {peer}\ninitial-cluster: one={peer}\nunsafe-no-fsync: true\n")
text = config.template_text.replace("etcd:\n", f"etcd:\n  config:\n    path: {etcd}\n", 1)
text = text.replace("  checkInterval: 1000\n", "  checkInterval: 100\n  checkSegmentInterval: 100\n  checkChannelInterval: 100\n"
                    "  UpdateNextTargetInterval: 1\n", 1).replace("  distPullInterval: 500\n", "  distPullInterval: 50\n", 1)
text = text.replace("rootCoord:\n", "rootCoord:\n  maxDatabaseNum: 1000\n", 1)
config.template_text = text.replace("{{ authorization_enabled(bool): false }}", guarded)
config.resolve()
os.chdir(data)
programs = os.path.join(install, "bin")
os.execve(os.path.join(programs, "milvus"), ["milvus", "run", "standalone"], dict(os.environ, DEPLOY_MODE="STANDALONE",
          METRICS_PORT=ports[11], MILVUS_RUN_DIR=os.path.join(data, "run"), LD_LIBRARY_PATH=programs))`

const milvusPorts = 12

// RunMilvus is StartMilvus for programs, which End it.
func RunMilvus(ctx context.Context, options MilvusOptions) (*Milvus, error) {
	python, err := python(ctx)
	if err != nil {
		return nil, err
	}
	install, err := Cached(ctx, "milvus-"+milvusVersion, func(ctx context.Context, dir string) error {
		if err := pip(ctx, python, "--no-deps", "--target", dir, "milvus=="+milvusVersion); err != nil {
			return err
		}
		unpack := command{program: python, args: []string{"-c", unpackProgram, dir}, env: slices.Concat(cleanEnv, []string{"PYTHONPATH=" + dir})}
		return unpack.run(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("install Milvus: %w", err)
	}
	m := &Milvus{}
	m.command = func(ports []string) *exec.Cmd {
		cmd := exec.Command(python, append([]string{"-c", milvusProgram, install, m.dir, fmt.Sprint(options.Guarded)}, ports...)...)
		cmd.Env = []string{"PYTHONPATH=" + install}
		return cmd
	}
	return m.begin(milvusPorts)
}

// RunMilvusLite starts a milvus-lite, for programs, which End it.
func RunMilvusLite(ctx context.Context) (*Milvus, error) {
	python, err := python(ctx)
	if err != nil {
		return nil, err
	}
	install, err := Cached(ctx, "milvus-lite-"+digest([]byte(milvusLite)), func(ctx context.Context, dir string) error {
		return pip(ctx, python, slices.Concat([]string{"--no-deps", "--target", dir}, strings.Fields(milvusLite))...)
	})
	if err != nil {
		return nil, fmt.Errorf("install milvus-lite: %w", err)
	}
	m := &Milvus{}
	m.command = func(ports []string) *exec.Cmd {
		cmd := exec.Command(python, "-m", "milvus_lite", "server", "--data-dir", filepath.Join(m.dir, "data"), "--host", "127.0.0.1", "--port", ports[0])
		cmd.Env = []string{"PYTHONPATH=" + install}
		return cmd
	}
	return m.begin(1)
}

func freePorts(n int) (ports []int, err error) {
	for range n {
		port, err := TakePort()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// askHealth fails until every part of the server says that it is well.
func (m *Milvus) askHealth(ctx context.Context) (err error) {
	conn, err := grpc.NewClient(fmt.Sprintf("passthrough:///127.0.0.1:%d", m.ports[0]), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", base64.StdEncoding.EncodeToString([]byte(MilvusToken)))
	answer, err := milvuspb.NewMilvusServiceClient(conn).CheckHealth(ctx, &milvuspb.CheckHealthRequest{})
	if err == nil && !answer.GetIsHealthy() {
		err = fmt.Errorf("%s %v", answer.GetStatus().GetReason(), answer.GetReasons())
	}
	return err
}

// begin starts the server for the first time; on other ports where somebody has taken one.
func (m *Milvus) begin(ports int) (_ *Milvus, err error) {
	if m.dir, err = os.MkdirTemp("", "pruned-milvus-"); err != nil {
		return nil, err
	}
	var failures []error
	for range 3 {
		if m.ports, err = freePorts(ports); err == nil {
			err = m.start()
		}
		if err == nil {
			return m, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(fmt.Errorf("start Milvus: %w", errors.Join(failures...)), os.RemoveAll(m.dir))
}

func (m *Milvus) start() error {
	var ports []string
	for _, port := range m.ports {
		ports = append(ports, fmt.Sprint(port))
	}
	cmd := m.command(ports)
	log, err := os.OpenFile(m.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = m.dir, log, log
	cmd.Env = slices.Concat(cleanEnv, cmd.Env, []string{"HOME=" + m.dir, "TMPDIR=" + m.dir})
	cmd.SysProcAttr = account{}.mortal()
	if m.process, err = startProcess(cmd); err != nil {
		return err
	}
	return m.awaitReady()
}

func (m *Milvus) log() string { return filepath.Join(m.dir, "milvus.log") }

func (m *Milvus) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := m.askHealth(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-m.process.done:
			text, _ := os.ReadFile(m.log())
			return fmt.Errorf("it ended while starting: %s", tail(string(text)))
		case <-ctx.Done():
			return errors.Join(err, m.process.kill())
		case <-retry.C:
		}
	}
}

// Crash kills the server as a crash would.
func (m *Milvus) Crash() error {
	err := m.process.kill()
	m.process = nil
	return err
}

// Recover starts a server that was killed again, on the same data and ports.
func (m *Milvus) Recover() error { return m.start() }

// Kill is Crash for a test.
func (m *Milvus) Kill(t testing.TB) {
	t.Helper()
	if err := m.Crash(); err != nil {
		t.Fatal(err)
	}
}

// Restart is Recover for a test.
func (m *Milvus) Restart(t testing.TB) {
	t.Helper()
	if err := m.Recover(); err != nil {
		t.Fatal(err)
	}
}

// End stops the server and removes what it kept: in an orderly way it takes half a minute.
func (m *Milvus) End() (err error) {
	if m.process != nil {
		err = m.process.kill()
	}
	return errors.Join(err, os.RemoveAll(m.dir))
}
