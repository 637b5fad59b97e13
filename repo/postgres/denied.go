package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/refindex"
)

// denied is the SQLSTATE of a privilege that is missing.
const denied = "42501"

// unusableSQL lists the statements that let the current role use the schema $1, or, where
// that is empty, those with the application's tables. Names are looked up in catalogs: to
// resolve one takes the privilege that is missing.
const unusableSQL = `
SELECT format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, current_user) FROM pg_namespace n
 WHERE NOT has_schema_privilege(n.oid, 'USAGE')
   AND CASE $1::text WHEN '' THEN 2 = (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname IN ('file', 'alembic_version'))
                     ELSE n.nspname = $1 END
 ORDER BY 1`

// nameMissing adds to a failure to open, where that is for want of a privilege, the
// statements that help. Privileges cannot: it is asked of a database that is open.
func (db *DB) nameMissing(ctx context.Context, err error) error {
	if repo.SQLState(err) != denied {
		return err
	}
	var missing []string
	lookErr := db.inOwnTx(ctx, func(t pgx.Tx) error {
		unusable, err := refindex.ReadColumn[string](ctx, t, unusableSQL, db.options.Schema)
		if err != nil {
			return err
		}
		role := refindex.QuoteName(t.Conn().Config().User)
		foreign, err := refindex.ReadColumn[string](ctx, t, ownershipSQL, role, false)
		missing = slices.Concat(unusable, foreign)
		return err
	})
	if repo.SQLState(lookErr) == denied {
		session := db.pool.Config().ConnConfig
		missing = []string{fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s;", refindex.QuoteName(session.Database), refindex.QuoteName(session.User))}
	}
	if len(missing) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, strings.Join(missing, " "))
}
