package config

import (
	"pruned/config/dsn"
	"pruned/config/secret"
)

// MariaDB is for the vector store mariadb-vector. After Parse URL is a proper one.
type MariaDB struct {
	URL secret.Text `name:"mariadb-vector-db-url" env:"MARIADB_VECTOR_DB_URL" address:"" flagless:"" help:"Database of the vector store mariadb-vector."`
}

const wantedMariaDB = "wanted " + dsn.MariaDB + "://user:password@host:port/database"

func (m MariaDB) checkMariaDB(ps *problems) {
	if m.URL == "" {
		ps.addProblem("MARIADB_VECTOR_DB_URL", "is not set: %s", wantedMariaDB)
		return
	}
	if _, err := dsn.NormalizeMariaDB(string(m.URL)); err != nil {
		ps.addProblem("MARIADB_VECTOR_DB_URL", "%s %w: %s", secret.Redact(string(m.URL)), err, wantedMariaDB)
	}
}

func (m *MariaDB) completeMariaDB() (err error) {
	m.URL, err = dsn.NormalizeMariaDB(string(m.URL))
	return err
}
