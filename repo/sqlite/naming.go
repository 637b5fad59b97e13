package sqlite

import (
	"context"
	"regexp"

	"pruned/repo"
)

// namedCollection is the collection that a file's meta names. It is read as text: a row
// that is no JSON must not end the search.
var namedCollection = regexp.MustCompile(`"collection_name"\s*:\s*"([^"]*)"`)

// FindNamingFiles reads the whole of table file.
func (db *DB) FindNamingFiles(ctx context.Context, t repo.Tx, names []string) (map[string]string, error) {
	files := map[string]string{}
	if len(names) == 0 {
		return files, nil
	}
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	var id, meta string
	err := queryEach(ctx, sweepView{sqliteTx(t)}, `SELECT CAST(id AS TEXT), CAST(meta AS TEXT) FROM file WHERE id IS NOT NULL
		AND instr(meta, '"collection_name"') > 0 AND instr(meta, '"collection_name": "file-') = 0`,
		nil, []any{&id, &meta}, func() error {
			if m := namedCollection.FindStringSubmatch(meta); m != nil && wanted[m[1]] {
				files[m[1]] = id
			}
			return nil
		})
	return files, translate(err, "look for files that name %d collections", len(names))
}

// HasUsers looks for one row.
func (db *DB) HasUsers(ctx context.Context, t repo.Tx) (has bool, err error) {
	_, err = queryOne(ctx, sweepView{sqliteTx(t)}, `SELECT EXISTS (SELECT 1 FROM user)`, nil, &has)
	return has, translate(err, "look whether table user is empty")
}
