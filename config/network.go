package config

import (
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const wantedServers = "wanted nats://host:port, or several, separated by commas"

func (q Queue) checkConnection(ps *problems) {
	if q.Embedded() {
		q.checkListen(ps)
		q.checkUnused(ps)
	} else if !areServers(string(q.URL)) {
		ps.add("NATS_URL", "%s is not a list of NATS servers: %s", Redact(string(q.URL)), wantedServers)
	}
	if q.Creds != "" && q.NKey != "" {
		ps.add("NATS_NKEY", "is set, and NATS_CREDS too: wanted one of them")
	}
	if q.Cert != "" && q.Key == "" {
		ps.add("NATS_KEY", "is not set: wanted the key of NATS_CERT")
	}
	if q.Key != "" && q.Cert == "" {
		ps.add("NATS_CERT", "is not set: wanted the certificate of NATS_KEY")
	}
	q.checkFiles(ps)
}

// checkListen keeps the embedded queue on this machine: it asks nobody for a
// password.
func (q Queue) checkListen(ps *problems) {
	host, ok := address(ps, "PRUNED_NATS_LISTEN", q.Listen)
	if ok && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		ps.add("PRUNED_NATS_LISTEN", "%q can be reached from other machines: wanted a loopback address, such as 127.0.0.1:4222", q.Listen)
	}
}

// checkUnused refuses what is for a server where none is named: each replica would
// have a queue of its own.
func (q Queue) checkUnused(ps *problems) {
	for _, file := range q.files() {
		if file.path != "" {
			ps.add("NATS_URL", "is not set, and %s is: wanted the servers that it is for", file.setting)
			return
		}
	}
}

type natsFile struct{ setting, path string }

func (q Queue) files() []natsFile {
	return []natsFile{{"NATS_CREDS", q.Creds}, {"NATS_NKEY", q.NKey}, {"NATS_CA", q.CA}, {"NATS_CERT", q.Cert}, {"NATS_KEY", q.Key}}
}

// content is what an nkey's seed or a file of keys looks like. Some will put
// it where its file is wanted: it must not be printed.
var content = regexp.MustCompile(`-----BEGIN |^\s*S[A-Z2-7]{50,}\s*$`)

func (q Queue) checkFiles(ps *problems) {
	for _, file := range q.files() {
		if file.path == "" {
			continue
		}
		if content.MatchString(file.path) {
			ps.add(file.setting, "is what should be in a file: wanted the path of that file")
		} else if err := readable(file.path); err != nil {
			ps.add(file.setting, "%q cannot be read: %w", file.path, err)
		}
	}
}

func readable(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

var natsSchemes = []string{"nats", "tls", "ws", "wss"}

func areServers(list string) bool {
	for server := range strings.SplitSeq(list, ",") {
		server = strings.TrimSpace(server)
		if !strings.Contains(server, "://") {
			server = "nats://" + server
		}
		u, err := url.Parse(server)
		if err != nil || !slices.Contains(natsSchemes, u.Scheme) || u.Hostname() == "" {
			return false
		}
	}
	return true
}

// address checks host:port, and returns the host.
func address(ps *problems, setting, value string) (string, bool) {
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		ps.add(setting, "%q is not an address: wanted host:port", value)
	}
	return host, err == nil
}
