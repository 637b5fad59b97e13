package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// mariadbRelease is the release of Debian whose MariaDB (11.8.9) has vectors, whatever this
// machine runs; mariadbPackages are the server and every library that it needs, the C
// library among them.
const mariadbRelease = "trixie"

var mariadbPackages = []string{"mariadb-server-core", "libc6", "libaio1t64", "libcrypt1", "libgcc-s1", "libnuma1", "libpcre2-8-0", "libssl3t64",
	"libstdc++6", "libsystemd0", "liburing2", "zlib1g", "libzstd1", "libcap2"}

// User and password of who may do everything in it.
const (
	MariaDBUser     = "pruned"
	MariaDBPassword = "s3cret-of-mariadb"
)

// MariaDB is a server with a vector index.
type MariaDB struct{ daemon }

var sharedMariaDB common[*MariaDB]

// SharedMariaDB is the server that all tests of this process have in common. Main stops it.
func SharedMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	return sharedMariaDB.get(t, RunMariaDB)
}

// StartMariaDB starts a server of one's own, which stops with the test.
func StartMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	m, err := RunMariaDB(context.Background())
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

// RunMariaDB is StartMariaDB for programs, which End it.
func RunMariaDB(ctx context.Context) (*MariaDB, error) {
	install, err := Cached(ctx, "mariadb-"+mariadbRelease, installMariaDB)
	if err != nil {
		return nil, fmt.Errorf("install MariaDB: %w", err)
	}
	m := &MariaDB{daemon{name: "mariadb"}}
	if m.program, err = findLoader(install); err != nil {
		return nil, err
	}
	m.args = func(d *daemon) []string {
		data := filepath.Join(d.dir, "data")
		if !exists(data) { // a failure the server tells: it finds no tables
			_ = os.CopyFS(data, os.DirFS(filepath.Join(install, "data")))
		}
		return append(mariadbArguments(install, data), "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", d.ports[0]),
			"--socket="+filepath.Join(d.dir, "socket"), "--pid-file="+filepath.Join(d.dir, "pid"), "--max-connections=500",
			"--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=512M")
	}
	m.ready = m.ping
	return m, m.begin(ctx, 1)
}

// findLoader is what runs a program with libraries of another release.
func findLoader(install string) (string, error) {
	found, err := filepath.Glob(filepath.Join(install, "usr", "lib", "*-linux-gnu", "ld-linux-*.so.*"))
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no loader of libraries in %s", install)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

func mariadbArguments(install, data string) []string {
	libraries, _ := filepath.Glob(filepath.Join(install, "usr", "lib", "*-linux-gnu")) // a fault in the pattern would show in every test
	args := []string{"--library-path", strings.Join(libraries, ":"), filepath.Join(install, "usr", "sbin", "mariadbd"), "--no-defaults",
		"--datadir=" + data, "--lc-messages-dir=" + filepath.Join(install, "usr", "share", "mariadb"), "--innodb-log-file-size=4M", "--plugin-dir=" + data}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	return args
}

// installMariaDB unpacks the packages, which changes nothing in the system, and makes the
// server's own tables.
func installMariaDB(ctx context.Context, dir string) error {
	work, err := os.MkdirTemp("", "pruned-install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := downloadRelease(ctx, work, mariadbRelease, mariadbPackages); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range packages {
		if err := (command{program: "dpkg-deb", args: []string{"--extract", file, dir}}).run(ctx); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "usr", "share", "doc")); err != nil { // with links that lead nowhere
		return err
	}
	if err := makeMariaDB(ctx, dir); err != nil {
		return err
	}
	return makeReadable(dir)
}

// downloadRelease downloads packages of another release of Debian, by lists of its own.
func downloadRelease(ctx context.Context, work, release string, packages []string) error {
	site, err := ownSite(ctx)
	if err != nil {
		return err
	}
	sources := filepath.Join(work, "release.sources")
	text := "Types: deb\nURIs: " + site + "\nSuites: " + release + "\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
	err = errors.Join(os.WriteFile(sources, []byte(text), 0o600), os.WriteFile(filepath.Join(work, "status"), nil, 0o600),
		os.MkdirAll(filepath.Join(work, "lists", "partial"), 0o755), os.MkdirAll(filepath.Join(work, "cache", "archives", "partial"), 0o755))
	if err != nil {
		return err
	}
	own := []string{"-o", "Dir::State::lists=" + filepath.Join(work, "lists"), "-o", "Dir::Cache=" + filepath.Join(work, "cache"),
		"-o", "Dir::Etc::sourcelist=" + sources, "-o", "Dir::Etc::sourceparts=-", "-o", "Dir::State::status=" + filepath.Join(work, "status"),
		"-o", "APT::Sandbox::User=root"}
	if err := (command{program: "apt-get", args: append(own, "update")}).run(ctx); err != nil {
		return err
	}
	return command{program: "apt-get", args: append(append(own, "download"), packages...), dir: work}.run(ctx)
}

// ownSite is where this machine has its own packages from.
func ownSite(ctx context.Context) (string, error) {
	for range 2 {
		out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Release: "+release(), "Component: main").Output()
		if site, _, _ := strings.Cut(string(out), "\n"); err == nil && site != "" {
			return site, nil
		}
		// It knows none before its first update.
		if err := (command{program: "apt-get", args: []string{"update"}}).run(ctx); err != nil {
			return "", err
		}
	}
	return "", errors.New("apt-get knows no packages of this machine's release")
}

func makeMariaDB(ctx context.Context, install string) error {
	data, scripts := filepath.Join(install, "data"), filepath.Join(install, "usr", "share", "mariadb")
	if err := mkdir(data); err != nil {
		return err
	}
	input := []io.Reader{strings.NewReader("create database mysql;\nuse mysql;\n")}
	for _, name := range []string{"mariadb_system_tables.sql", "mariadb_system_tables_data.sql"} {
		file, err := os.Open(filepath.Join(scripts, name))
		if err != nil {
			return err
		}
		defer file.Close()
		input = append(input, file)
	}
	input = append(input, strings.NewReader("FLUSH PRIVILEGES;\nCREATE USER "+MariaDBUser+"@'127.0.0.1' IDENTIFIED BY '"+MariaDBPassword+
		"';\nGRANT ALL ON *.* TO "+MariaDBUser+"@'127.0.0.1' WITH GRANT OPTION;\n"))
	loader, err := findLoader(install)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, loader, append(mariadbArguments(install, data), "--bootstrap")...)
	cmd.Stdin = io.MultiReader(input...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the tables of MariaDB: %w: %s", err, tail(string(out)))
	}
	return nil
}

// Address is the server's host and port.
func (m *MariaDB) Address() string { return m.address() }

// URL is the address of a database, as Open WebUI's settings name it.
func (m *MariaDB) URL(database string) string {
	return fmt.Sprintf("mariadb+mariadbconnector://%s:%s@%s/%s", MariaDBUser, MariaDBPassword, m.address(), database)
}

// createMariaDBChunks is the application's own (open_webui/retrieval/vector/dbs/mariadb_vector.py
// of Open WebUI 0.12.4), with shorter vectors.
const createMariaDBChunks = `
CREATE TABLE document_chunk (
    id VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
    embedding VECTOR(3) NOT NULL,
    collection_name VARCHAR(255) NOT NULL,
    text LONGTEXT NULL,
    vmetadata JSON NULL,
    VECTOR INDEX (embedding) M=8 DISTANCE=cosine,
    INDEX idx_document_chunk_collection_name (collection_name)
) ENGINE=InnoDB`

// MakeDatabase makes a database with the application's table of vectors, which have three
// numbers, and opens it.
func (m *MariaDB) MakeDatabase(ctx context.Context, name string) (*sql.DB, error) {
	db, err := m.Open("")
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+name)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	if db, err = m.Open(name); err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, createMariaDBChunks); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Open opens a database by the protocol of the server.
func (m *MariaDB) Open(database string) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.DBName = MariaDBUser, MariaDBPassword, "tcp", m.address(), database
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func (m *MariaDB) ping(ctx context.Context) error {
	db, err := m.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}
