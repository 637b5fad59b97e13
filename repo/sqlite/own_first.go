package sqlite

import "context"

// ourTables are the tables of ours that are there. Where no migration was applied, as
// where somebody else's table has the name of one of ours, only goose's is.
func (db *DB) ourTables(ctx context.Context) ([]string, error) {
	names := ownTables()
	var versions int
	_, err := one(ctx, db.pool, `SELECT count(*) FROM pragma_table_info('`+versionTable+`') WHERE name = 'version_id'`, nil, &versions)
	if err != nil || versions == 0 {
		return nil, translate(err, "look for our own tables")
	}
	_, err = one(ctx, db.pool, `SELECT count(*) FROM `+versionTable+` WHERE version_id > 0`, nil, &versions)
	if err != nil {
		return nil, translate(err, "read the version of our own tables")
	}
	if versions == 0 {
		names = []string{versionTable}
	}
	ours, err := column[string](ctx, db.pool, `SELECT name FROM sqlite_schema
		WHERE type = 'table' AND name IN (SELECT value FROM json_each(?1))`, list(names))
	return ours, translate(err, "list our own tables")
}
