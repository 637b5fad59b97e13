package config

import (
	"pruned/config/dsn"
	"pruned/config/secret"
)

// OpenGauss is for the vector store opengauss. After Parse URL is one of PostgreSQL.
type OpenGauss struct {
	URL secret.Text `name:"opengauss-db-url" env:"OPENGAUSS_DB_URL" address:"" flagless:"" help:"Database of the vector store opengauss."`
}

const wantedOpenGauss = "wanted opengauss://user:password@host:port/database"

func (o OpenGauss) checkOpenGauss(ps *problems) {
	if o.URL == "" {
		ps.addProblem("OPENGAUSS_DB_URL", "is not set: %s", wantedOpenGauss)
		return
	}
	if _, err := dsn.NormalizeOpenGauss(string(o.URL)); err != nil {
		ps.addProblem("OPENGAUSS_DB_URL", "%s %w: %s", secret.Redact(string(o.URL)), err, wantedOpenGauss)
	}
}

func (o *OpenGauss) completeOpenGauss() (err error) {
	o.URL, err = dsn.NormalizeOpenGauss(string(o.URL))
	return err
}
