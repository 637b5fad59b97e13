package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"postgresql://u:p@db:5432/webui":                         "postgresql://u:p@db:5432/webui",
		"postgres://u:p@db/webui":                                "postgresql://u:p@db/webui",
		"postgresql+psycopg2://u@db/webui":                       "postgresql://u@db/webui",
		"postgresql+asyncpg://u:p@[::1]:5433/webui":              "postgresql://u:p@[::1]:5433/webui",
		"postgresql://[::1]/webui":                               "postgresql://[::1]/webui",
		"postgresql://u:p@/webui?host=/run/pg":                   "postgresql://u:p@/webui?host=%2Frun%2Fpg",
		"postgresql://u:a/b#c?d%25@db/webui":                     "postgresql://u:a%2Fb%23c%3Fd%25@db/webui",
		"postgresql://u:100%@db_1/webui":                         "postgresql://u:100%25@db_1/webui",
		"postgresql://u:%C3%B6+@db/webui":                        "postgresql://u:%C3%B6+@db/webui",
		"postgresql://:p@db/webui":                               "postgresql://:p@db/webui",
		"postgresql://db":                                        "postgresql://db",
		"postgresql://db/webui?sslmode=require&keepalives=1":     "postgresql://db/webui?sslmode=require",
		"postgresql://db/webui?ssl=require":                      "postgresql://db/webui?sslmode=require",
		"postgresql://db/webui?ssl=disable&sslmode=verify-full":  "postgresql://db/webui?sslmode=verify-full",
		"postgresql://db/webui?options=-c%20search_path%3Dowui":  "postgresql://db/webui?options=-c+search_path%3Dowui",
		"postgresql://db/webui?application_name=a&gssencmode=no": "postgresql://db/webui?application_name=a",
	} {
		c, err := parse(with("DATABASE_URL=" + raw))
		require.NoError(t, err, raw)
		assert.Equal(t, want, string(c.Database.URL))
	}
}

func TestDatabaseURLThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"mysql+pymysql://u:hunter2@db:3306/webui": "mysql+pymysql://u:***@db:3306/webui is of a database that is not built yet",
		"host=db password=hunter2 dbname=webui":   "host=db password=*** dbname=webui is not the URL of a database",
		"hunter2":                                 "*** is not the URL of a database",
		"postgresql://u:hunter2":                  "postgresql://*** has no valid port",
		"postgresql://u:hunter2@db:port/webui":    "postgresql://*** has no valid port",
		"postgresql://u:hunter2@db:0/webui":       "postgresql://u:***@db:0/webui has no valid port",
		"postgresql://u:hunter@2@db/webui":        "postgresql://u:***@db/webui has no valid host (an @ in the password is written %40)",
		"postgresql://u:hunter2@[xy]/webui":       "postgresql://*** has no valid host (an @ in the password is written %40)",
		"postgresql://u:hunter2@db/webui?a=%zz":   "postgresql://u:***@db/webui has parameters that cannot be read",
	} {
		assert.Equal(t, []string{"DATABASE_URL: " + want + ": " + wantedDatabase}, lines(t, with("DATABASE_URL="+raw)))
		assert.Equal(t, []string{"PGVECTOR_DB_URL: " + want + ": " + wantedPostgres}, lines(t, with("VECTOR_DB=pgvector", "PGVECTOR_DB_URL="+raw)))
	}
}

func TestDatabaseURLOfParts(t *testing.T) {
	t.Parallel()
	parts := []string{
		"DATABASE_TYPE=postgresql", "DATABASE_USER=u", "DATABASE_PASSWORD=p#", "DATABASE_HOST=db",
		"DATABASE_PORT=5432", "DATABASE_NAME=webui", "VECTOR_DB=pgvector",
	}
	c, err := parse(append(parts, "DATABASE_URL=sqlite:///other.db"))
	require.NoError(t, err, "the parts win")
	assert.Equal(t, "postgresql://u:p%23@db:5432/webui", string(c.Database.URL))
	assert.Equal(t, c.Database.URL, c.Vectors.URL, "the vectors' default")

	c, err = parse(append(parts, "DATABASE_PASSWORD="))
	require.NoError(t, err, "a user is enough")
	assert.Equal(t, "postgresql://u@db:5432/webui", string(c.Database.URL))

	c, err = parse(append(parts, "DATABASE_PORT=", "DATABASE_URL=postgresql://whole/webui"))
	require.NoError(t, err, "what is not complete does not count")
	assert.Equal(t, "postgresql://whole/webui", string(c.Database.URL))

	assert.Equal(t,
		[]string{"DATABASE_URL: is not set, and cannot be made without DATABASE_PORT, DATABASE_NAME: " + wantedDatabase},
		lines(t, append(parts, "DATABASE_PORT=", "DATABASE_NAME=")))
	assert.Equal(t,
		[]string{"DATABASE_URL: postgresql://*** has no valid port: " + wantedDatabase},
		lines(t, append(parts, "DATABASE_PORT=hunter2")))
}
