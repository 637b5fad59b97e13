package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
)

// deletion runs the steps of the transaction over files that nothing
// references; between is called before the last look.
func deletion(db *postgres.DB, ids []string, between func()) (appeared map[string]repo.Reference, err error) {
	ctx := context.Background()
	err = db.InTx(ctx, nil, func(tx repo.Tx) error {
		locked, err := db.Lock(ctx, tx, ids, repo.Ages{})
		if err != nil || len(locked.Files) != len(ids) {
			return err
		}
		found, err := db.FindReferences(ctx, tx, ids)
		if err != nil || len(found.Referenced)+len(found.Unknown) > 0 {
			return err
		}
		if _, err := db.Delete(ctx, tx, ids, 0); err != nil {
			return err
		}
		between()
		again, err := db.RecheckReferences(ctx, tx, found, ids, nil)
		appeared = again.References
		return err
	})
	return appeared, err
}

func nothing() {}

// auditTriggers write what was deleted into a table that keeps whatever it
// mentions; each in another way.
var auditTriggers = map[string]string{
	"plain": `
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (v) VALUES (OLD.id); RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION audit()`,
	"in a subtransaction": `
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    BEGIN INSERT INTO audit (v) VALUES (OLD.id); EXCEPTION WHEN unique_violation THEN NULL; END;
    BEGIN INSERT INTO audit (v) VALUES (OLD.id); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
    BEGIN BEGIN INSERT INTO audit (v) VALUES (OLD.id); EXCEPTION WHEN OTHERS THEN NULL; END; EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN OLD;
END $$;
CREATE TRIGGER audit BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION audit()`,
	"for the statement": `
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (v) SELECT id FROM old_rows; UPDATE audit SET v = v || '!'; RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER DELETE ON file REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION audit()`,
}

// What a trigger of the deletion itself writes is no mention that appeared; what
// somebody else commits meanwhile is, in the same table too.
func TestAuditTriggerIsNoMention(t *testing.T) {
	t.Parallel()
	for name, trigger := range auditTriggers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			d.Exec(t, `CREATE TABLE audit (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, v text)`)
			d.Exec(t, trigger)
			ids := newFiles(t, d, 4)
			refresh(t, db)
			appeared, err := deletion(db, ids[:2], nothing)
			require.NoError(t, err)
			require.Empty(t, appeared)

			other := d.Conn(t) // began before we did, and ends after our look
			exec(t, other, `BEGIN`)
			exec(t, other, `INSERT INTO audit (v) VALUES ($1)`, ids[2])
			appeared, err = deletion(db, ids[2:], func() {
				exec(t, other, `COMMIT`)
				d.Exec(t, `INSERT INTO audit (v) VALUES ($1)`, ids[3])
			})
			require.NoError(t, err)
			require.Len(t, appeared, 2)
			require.Equal(t, "audit", appeared[ids[2]].Table)
		})
	}
}

// A trigger or a policy that lets nothing go raises nothing: the count tells.
func TestRowsThatStayAreNoticed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, says, state string }{
		"returns NULL": {`IF OLD.filename = 'stays' THEN RETURN NULL; END IF; RETURN OLD`, "a trigger or a policy", ""},
		"raises":       {`IF OLD.filename = 'stays' THEN RAISE 'not this one'; END IF; RETURN OLD`, "not this one", "P0001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 3)
			d.Exec(t, `UPDATE file SET filename = 'stays' WHERE id = $1`, ids[1])
			d.Exec(t, `CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+c.body+`; END $$`)
			d.Exec(t, `CREATE TRIGGER guard BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION guard()`)
			refresh(t, db)
			_, err := deletion(db, ids, nothing)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, repo.Permanent, repo.KindOf(err))
			require.Equal(t, c.state, repo.SQLState(err))
			requireFree(t, db, ids...)
			for _, id := range ids {
				_, exists, err := db.DescribeFile(t.Context(), id)
				require.NoError(t, err)
				require.True(t, exists)
			}
		})
	}
}
