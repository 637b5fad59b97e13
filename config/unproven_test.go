package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was tested on a stand-in alone is used where a person says so, or nothing is removed.
func TestUnprovenStoreWantsAWord(t *testing.T) {
	t.Parallel()
	store := []string{"VECTOR_DB=opengauss", "OPENGAUSS_DB_URL=opengauss://u:hunter2@host/vectors"}
	refusal := []string{`VECTOR_DB: "opengauss" was tested on a stand-in alone, PostgreSQL: wanted PRUNED_UNPROVEN=opengauss where that is enough for you, or --dry-run`}
	assert.Equal(t, refusal, lines(t, with(store...)))
	assert.Equal(t, refusal, lines(t, with(append(store, "PRUNED_UNPROVEN=milvus")...)))
	for _, setting := range []string{"PRUNED_UNPROVEN=opengauss", "PRUNED_UNPROVEN=milvus,opengauss", "PRUNED_DRY_RUN=true"} {
		c, err := parse(with(append(store, setting)...))
		require.NoError(t, err, setting)
		assert.EqualValues(t, "postgresql://u:hunter2@host/vectors", c.OpenGauss.URL)
	}
	assert.Equal(t, []string{`PRUNED_UNPROVEN: "opengaus" is not known: ` + wantedVectors}, lines(t, with("PRUNED_UNPROVEN=opengaus")))
	for name := range standIns {
		assert.Contains(t, VectorStores, name)
	}
	_, err := parse(with("VECTOR_DB=oracle23ai"))
	assert.ErrorContains(t, err, `VECTOR_DB: "oracle23ai" is refused: neither an Oracle nor a stand-in`)
}

func TestDatabasesOfVectorsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for want, environ := range map[string][]string{
		"OPENGAUSS_DB_URL: is not set: " + wantedOpenGauss:                                               {"VECTOR_DB=opengauss"},
		"OPENGAUSS_DB_URL: mysql://u:***@h/d is of a database that is not built yet: " + wantedOpenGauss: {"VECTOR_DB=opengauss", "OPENGAUSS_DB_URL=mysql://u:hunter2@h/d"},
		"MARIADB_VECTOR_DB_URL: is not set: " + wantedMariaDB:                                            {"VECTOR_DB=mariadb-vector"},
		"MARIADB_VECTOR_DB_URL: mysql://u:***@h/d is not the URL of a database: " + wantedMariaDB:        {"VECTOR_DB=mariadb-vector", "MARIADB_VECTOR_DB_URL=mysql://u:hunter2@h/d"},
		"MARIADB_VECTOR_DB_URL: mariadb+mariadbconnector://u:***@h names no database: " + wantedMariaDB:  {"VECTOR_DB=mariadb-vector", "MARIADB_VECTOR_DB_URL=mariadb+mariadbconnector://u:hunter2@h"},
		"MARIADB_VECTOR_DB_URL: mariadb+mariadbconnector://*** has no valid port: " + wantedMariaDB:      {"VECTOR_DB=mariadb-vector", "MARIADB_VECTOR_DB_URL=mariadb+mariadbconnector://u:hunter2@h:x/d"},
	} {
		got := lines(t, with(append(environ, "PRUNED_UNPROVEN=opengauss")...))
		require.Len(t, got, 1, want)
		assert.Equal(t, want, got[0])
	}
	c, err := parse(with("VECTOR_DB=mariadb-vector", "MARIADB_VECTOR_DB_URL=mariadb+mariadbconnector://u:a/b#c%40@host:3307/vectors?ssl_ca=/ca.pem"))
	require.NoError(t, err)
	assert.EqualValues(t, "mariadb+mariadbconnector://u:a%2Fb%23c%40@host:3307/vectors?ssl_ca=%2Fca.pem", c.MariaDB.URL)
}
