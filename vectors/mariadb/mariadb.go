// Package mariadb is the vector store MariaDB: a chunktable.Store in its words.
//
// Its central idea is that MariaDB compares texts by a collation, in which "Team", "Téam"
// and "team " are one: only the bytes of a name say which it is. Under a vector index a
// statement that deletes several rows locks nodes of the index, one after the other, and an
// insert of the application's that locks others meanwhile is ended by a deadlock. So several
// go while the table is locked for a moment, where nobody else has it at that moment, and
// else one by one, which can only wait.
//
// Seen on MariaDB 11.8.9.
package mariadb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"pruned/vectors/chunktable"
)

// Scheme is that of the application's address, which is one of SQLAlchemy.
const Scheme = "mariadb+mariadbconnector"

// Options are the application's settings for this store.
type Options struct {
	URL string // MARIADB_VECTOR_DB_URL
}

const (
	defaultPort    = "3306"
	connectTimeout = 10 * time.Second
	// Seconds: lockWait is how long a statement waits for what somebody else holds, talkWait
	// how long the server waits while we look at what it sent, and silenceWait how long it
	// keeps a session, with its locks, that says nothing.
	lockWait, talkWait, silenceWait = "5", "3600", "30"
)

// New makes a store. It opens no session.
func New(_ context.Context, options Options) (*chunktable.Store, error) {
	address, err := url.Parse(options.URL)
	if err != nil || address.Scheme != Scheme || strings.Trim(address.Path, "/") == "" {
		return nil, fmt.Errorf("the address of MariaDB is no %s://user:password@host:port/database", Scheme) // it may hold a password
	}
	config, err := configOf(address)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, errors.New("the address of MariaDB cannot be used")
	}
	name := fmt.Sprintf("mariadb at %s, database %s", config.Addr, config.DBName)
	return chunktable.New(sql.OpenDB(connector), dialectOf(name)), nil
}

// configOf reads the address as the application's driver does.
func configOf(address *url.URL) (*mysql.Config, error) {
	password, _ := address.User.Password()
	port := address.Port()
	if port == "" {
		port = defaultPort
	}
	host := address.Hostname()
	if host == "" {
		host = "localhost"
	}
	config := mysql.NewConfig()
	config.User, config.Passwd = address.User.Username(), password
	config.Net, config.Addr = "tcp", net.JoinHostPort(host, port)
	config.DBName = strings.Trim(address.Path, "/")
	config.Timeout = connectTimeout
	config.Params = map[string]string{"innodb_lock_wait_timeout": lockWait, "net_write_timeout": talkWait, "wait_timeout": silenceWait, "autocommit": "1"}
	config.Logger = &mysql.NopLogger{}
	query := address.Query()
	if socket := query.Get("unix_socket"); socket != "" {
		config.Net, config.Addr = "unix", socket
	}
	var err error
	config.TLS, err = securityOf(query, host)
	return config, err
}

// securityOf is nil where the address asks for none. Without certificates to compare it with
// the server's is not verified, as by the application's driver.
func securityOf(query url.Values, host string) (*tls.Config, error) {
	ca, cert, key := query.Get("ssl_ca"), query.Get("ssl_cert"), query.Get("ssl_key")
	verify, wanted := isTrue(query.Get("ssl_verify_cert")), isTrue(query.Get("ssl"))
	if ca == "" && cert == "" && !verify && !wanted {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, InsecureSkipVerify: ca == "" && !verify} //nolint:gosec // as above
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read the certificates for MariaDB: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the certificates for MariaDB: there is none in %s", ca)
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read our certificate for MariaDB: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func isTrue(text string) bool {
	is, _ := strconv.ParseBool(text)
	return is
}
