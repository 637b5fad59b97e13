package dsn

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The driver must get what Open WebUI's gets, whatever is in the password.
func TestDriverReadsWhatOpenWebUIReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringMatching(`[^@%\x00]+`).Draw(t, "password")
		user := rapid.StringMatching(`[^@%/:\x00]+`).Draw(t, "user")
		escaped := rapid.Bool().Draw(t, "escaped")
		raw := password
		if escaped {
			raw = escapeBytes(password)
		}
		url, err := NormalizePostgres("postgresql+psycopg2://" + user + ":" + raw + "@db.example:5433/webui?sslmode=disable")
		require.NoError(t, err)
		driver, err := pgconn.ParseConfig(string(url))
		require.NoError(t, err)
		assert.Equal(t, user, driver.User)
		assert.Equal(t, password, driver.Password)
		assert.Equal(t, "db.example", driver.Host)
		assert.Equal(t, uint16(5433), driver.Port)
		assert.Equal(t, "webui", driver.Database)
	})
}

func escapeBytes(text string) string {
	var escaped strings.Builder
	for _, b := range []byte(text) {
		escaped.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[b>>4])+string("0123456789abcdef"[b&15])))
	}
	return escaped.String()
}
