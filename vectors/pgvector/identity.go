package pgvector

import (
	"context"
	"fmt"
)

const identitySQL = `
SELECT d.oid, (SELECT system_identifier::text FROM pg_control_system())
  FROM pg_database d WHERE d.datname = current_database()`

// IsIn says whether PGVECTOR_DB_URL leads to the database with this oid, in the cluster
// with this system identifier: a store there joins its transactions. Host names are not
// compared, one server has many.
func (s *Store) IsIn(ctx context.Context, systemIdentifier string, databaseOID uint32) (same bool, err error) {
	err = s.inTx(ctx, "compare the databases", func(tx ownTx) error {
		var system string
		var oid uint32
		if err := tx.QueryRow(ctx, identitySQL).Scan(&oid, &system); err != nil {
			return fmt.Errorf("read the system identifier (GRANT EXECUTE ON FUNCTION pg_control_system() helps if it is a matter of privilege): %w", err)
		}
		same = system == systemIdentifier && oid == databaseOID
		return nil
	})
	return same, err
}
