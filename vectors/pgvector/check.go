package pgvector

import (
	"context"
	"errors"
	"fmt"

	"pruned/vectors"
)

// Check looks at the table as it is now. A table that is not there yet is in
// order: there are no chunks.
func (s *chunkTable) Check(ctx context.Context) error {
	return s.inTx(ctx, "check the chunks", func(tx ownTx) error {
		t, err := s.findTable(ctx, tx)
		if err != nil || t.isAbsent() {
			return err
		}
		return errors.Join(t.checkPrivileges(ctx, tx), t.checkIndex(ctx, tx), s.tryKey(ctx, tx, t))
	})
}

// checkPrivilegesSQL: to lock rows takes the privilege to update them.
const checkPrivilegesSQL = `
SELECT current_user,
       (SELECT coalesce(string_agg(p, ', '), '') FROM unnest('{SELECT,UPDATE,DELETE}'::text[]) AS p
         WHERE NOT has_table_privilege($1::regclass, p)),
       row_security_active($1::regclass)`

func (t *table) checkPrivileges(ctx context.Context, tx ownTx) error {
	var user, missing string
	var hidden bool
	if err := tx.QueryRow(ctx, checkPrivilegesSQL, t.quotedName()).Scan(&user, &missing, &hidden); err != nil {
		return fmt.Errorf("read the privileges on %s: %w", t.quotedName(), err)
	}
	if missing != "" {
		return fmt.Errorf("user %s may not do its work in %s: GRANT %s ON %[2]s TO %[4]s", user, t.quotedName(), missing, quoteName(user))
	}
	if hidden {
		return fmt.Errorf("a policy of %s hides rows from user %s: ALTER ROLE %s BYPASSRLS", t.quotedName(), user, quoteName(user))
	}
	return nil
}

// checkIndex wants the application's own index, without which nothing is done
// by Join.
func (t *table) checkIndex(ctx context.Context, tx ownTx) error {
	same, found, err := t.lookupIndexes(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the indexes of %s: %w", t.quotedName(), err)
	}
	if same && !found.collection {
		return fmt.Errorf("%s has no index on its collections: CREATE INDEX CONCURRENTLY idx_%s_collection_name ON %[1]s (collection_name)", t.quotedName(), tableName)
	}
	return nil
}

// tryKey is checkKey in a transaction that has not decrypted yet.
func (s *chunkTable) tryKey(ctx context.Context, tx vectors.Tx, t *table) error {
	if err := t.makeReadable(ctx, tx); err != nil {
		return err
	}
	return s.checkKey(ctx, tx, t)
}
