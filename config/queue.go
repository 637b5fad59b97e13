package config

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"pruned/config/secret"
)

// Queue is how to connect to NATS, or to embed it.
type Queue struct {
	URL       secret.Text   `name:"nats-url" env:"NATS_URL" address:"" flagless:"" help:"NATS servers with JetStream; unset: an embedded one."`
	Creds     string        `name:"nats-creds" env:"NATS_CREDS" placeholder:"FILE" help:"Credentials file."`
	NKey      string        `name:"nats-nkey" env:"NATS_NKEY" placeholder:"FILE" help:"File with an nkey's seed."`
	CA        string        `name:"nats-ca" env:"NATS_CA" placeholder:"FILE" help:"Certificates of the authorities to trust."`
	Cert      string        `name:"nats-cert" env:"NATS_CERT" placeholder:"FILE" help:"Client certificate."`
	Key       string        `name:"nats-key" env:"NATS_KEY" placeholder:"FILE" help:"Key of the client certificate."`
	DataDir   string        `name:"pruned-data-dir" env:"PRUNED_DATA_DIR" placeholder:"DIR" help:"Folder of the embedded queue; unset: pruned in Open WebUI's data folder."`
	Listen    string        `name:"nats-listen" env:"PRUNED_NATS_LISTEN" default:"127.0.0.1:4222" help:"Where the embedded queue listens, on this machine only."`
	Stream    string        `name:"stream" env:"PRUNED_STREAM" default:"PRUNED" help:"Name of the stream; subjects begin with it in lower case."`
	Retention time.Duration `name:"retention" env:"PRUNED_RETENTION" default:"720h" help:"How long events can be replayed; 0: for ever."`
	MaxBytes  Size          `name:"max-bytes" env:"PRUNED_MAX_BYTES" default:"1GiB" help:"Size at which the stream refuses more."`
}

// IsEmbedded says whether the queue runs in this process.
func (q Queue) IsEmbedded() bool { return q.URL == "" }

// queueDir is the folder of the embedded queue, beside a file of that name,
// which may be this very program.
func queueDir(dataDir string) string {
	dir := filepath.Join(dataDir, "pruned")
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return dir + ".queue"
	}
	return dir
}

func (q Queue) checkQueue(ps *problems) {
	q.checkConnection(ps)
	q.checkStream(ps)
	if q.Retention != 0 {
		checkMin(ps, "PRUNED_RETENTION", q.Retention, minRetention)
	}
	checkMin(ps, "PRUNED_MAX_BYTES", q.MaxBytes, MiB)
}

// minRetention is what a NATS server accepts, where it is limited at all.
const minRetention = 100 * time.Millisecond

var streamName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkStream leaves room for what is appended to the name, and refuses what an
// installation of another name appends to its own.
func (q Queue) checkStream(ps *problems) {
	if !streamName.MatchString(q.Stream) {
		ps.addProblem("PRUNED_STREAM", "%q is not the name of a stream: wanted at most 64 letters of ASCII, digits, _ or -", q.Stream)
	}
	for _, end := range []string{"_DEAD", "_DELETED", "_HINTS", "_LATER"} {
		if strings.HasSuffix(strings.ToUpper(q.Stream), end) {
			ps.addProblem("PRUNED_STREAM", "%q may be a stream of another installation's: wanted a name that does not end in %s", q.Stream, end)
		}
	}
}

const wantedServers = "wanted nats://host:port, or several, separated by commas"

func (q Queue) checkConnection(ps *problems) {
	if q.IsEmbedded() {
		q.checkListen(ps)
		q.checkUnused(ps)
	} else if servers := secret.Servers(string(q.URL)); servers == nil || slices.ContainsFunc(servers, func(u *url.URL) bool { return !slices.Contains(natsSchemes, u.Scheme) }) {
		ps.addProblem("NATS_URL", "%s is not a list of NATS servers: %s", secret.Redact(string(q.URL)), wantedServers)
	}
	if q.Creds != "" && q.NKey != "" {
		ps.addProblem("NATS_NKEY", "is set, and NATS_CREDS too: wanted one of them")
	}
	if q.Cert != "" && q.Key == "" {
		ps.addProblem("NATS_KEY", "is not set: wanted the key of NATS_CERT")
	}
	if q.Key != "" && q.Cert == "" {
		ps.addProblem("NATS_CERT", "is not set: wanted the certificate of NATS_KEY")
	}
	q.checkFiles(ps)
}

// checkListen keeps the embedded queue on this machine: it asks nobody for a
// password.
func (q Queue) checkListen(ps *problems) {
	checkLoopback(ps, "PRUNED_NATS_LISTEN", q.Listen, "127.0.0.1:4222")
}

// checkUnused refuses what is for a server where none is named: each replica would
// have a queue of its own.
func (q Queue) checkUnused(ps *problems) {
	for _, file := range q.credentialFiles() {
		if file.path != "" {
			ps.addProblem("NATS_URL", "is not set, and %s is: wanted the servers that it is for", file.setting)
			return
		}
	}
}

type credentialFile struct{ setting, path string }

func (q Queue) credentialFiles() []credentialFile {
	return []credentialFile{{"NATS_CREDS", q.Creds}, {"NATS_NKEY", q.NKey}, {"NATS_CA", q.CA}, {"NATS_CERT", q.Cert}, {"NATS_KEY", q.Key}}
}

// content is what an nkey's seed or a file of keys looks like. Some will put
// it where its file is wanted: it must not be printed.
var content = regexp.MustCompile(`-----BEGIN |^\s*S[A-Z2-7]{50,}\s*$`)

func (q Queue) checkFiles(ps *problems) {
	for _, file := range q.credentialFiles() {
		if file.path == "" {
			continue
		}
		if content.MatchString(file.path) {
			ps.addProblem(file.setting, "is what should be in a file: wanted the path of that file")
		} else if err := checkReadable(file.path); err != nil {
			ps.addProblem(file.setting, "%q cannot be read: %w", file.path, err)
		}
	}
}

func checkReadable(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

var natsSchemes = []string{"nats", "tls", "ws", "wss"}
