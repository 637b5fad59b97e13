package pgvector

import (
	"context"
	"fmt"
)

const identitySQL = `
SELECT current_database(), d.oid, (SELECT system_identifier::text FROM pg_control_system())
  FROM pg_database d WHERE d.datname = current_database()`

// SameDatabase refuses a PGVECTOR_DB_URL that leads to another database than
// the one whose transactions the store shall join: that with this oid, in the
// cluster with this system identifier. Host names are not compared, one server
// has many.
func (s *Store) SameDatabase(ctx context.Context, systemIdentifier string, databaseOID uint32) error {
	return s.inTx(ctx, "compare the databases", func(tx ownTx) error {
		var name, system string
		var oid uint32
		if err := tx.QueryRow(ctx, identitySQL).Scan(&name, &oid, &system); err != nil {
			return fmt.Errorf("read the system identifier (GRANT EXECUTE ON FUNCTION pg_control_system() helps if it is a matter of privilege): %w", err)
		}
		if system != systemIdentifier || oid != databaseOID {
			return fmt.Errorf("PGVECTOR_DB_URL leads to database %s, which is not the one of DATABASE_URL: vectors in another database are not supported yet", name)
		}
		return nil
	})
}
