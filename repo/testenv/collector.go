package testenv

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// collectorBuilder is OpenTelemetry's own, which makes a collector of the parts that its
// manifest names. The program's graph of modules knows none of it.
const collectorBuilder = "go.opentelemetry.io/collector/cmd/builder@v0.161.0"

const collectorManifest = `dist: {name: otelcol, module: otelcol, output_path: .}
conf_resolver: {default_uri_scheme: file}
receivers: [{gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v0.161.0}]
exporters: [{gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter v0.161.0}]
providers: [{gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider v1.67.0}]
`

const collectorConfig = `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters: {file: {path: spans, format: proto}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [file]}}
`

// Collector is a collector of OpenTelemetry that writes to a file what it receives.
type Collector struct {
	dir     string
	port    int
	process *process
}

// StartCollector starts one, which ends with the test at the latest.
func StartCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{dir: t.TempDir(), port: FreePort(t)}
	if err := c.start(context.Background()); err != nil {
		t.Fatalf("start a collector of OpenTelemetry: %v", err)
	}
	t.Cleanup(func() {
		if err := c.end(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// URL is where it takes spans, by OTLP over HTTP.
func (c *Collector) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", c.port) }

func (c *Collector) start(ctx context.Context) error {
	install, err := Cached(ctx, "otelcol-"+digest([]byte(collectorBuilder), []byte(collectorManifest)), buildCollector)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if err := os.WriteFile(filepath.Join(c.dir, "config.yaml"), fmt.Appendf(nil, collectorConfig, c.port), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(install, "otelcol"), "--config", "config.yaml")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, cleanEnv, log, log
	cmd.SysProcAttr = account{}.mortal()
	if c.process, err = startProcess(cmd); err != nil {
		return err
	}
	return c.process.awaitAnswer(c.URL(), log.Name())
}

func buildCollector(ctx context.Context, dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "manifest.yaml"), []byte(collectorManifest), 0o600); err != nil {
		return err
	}
	return command{program: "go", args: []string{"run", collectorBuilder, "--config", "manifest.yaml"}, dir: dir}.run(ctx)
}

// Stop ends the collector in an orderly way, and returns each message with spans that it
// received: a TracesData of OTLP, in protobuf.
func (c *Collector) Stop(t testing.TB) (messages [][]byte) {
	t.Helper()
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	rest, err := os.ReadFile(filepath.Join(c.dir, "spans"))
	for err == nil && len(rest) >= 4 { // each behind its length
		end := min(4+int(binary.BigEndian.Uint32(rest)), len(rest))
		messages, rest = append(messages, rest[4:end]), rest[end:]
	}
	if err != nil {
		t.Fatalf("read what the collector received: %v", err)
	}
	return messages
}

// end does nothing the second time.
func (c *Collector) end() error {
	if c.process == nil {
		return nil
	}
	err := c.process.end(syscall.SIGTERM)
	c.process = nil
	if err != nil {
		return fmt.Errorf("stop the collector of OpenTelemetry: %w", err)
	}
	return nil
}
