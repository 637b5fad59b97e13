package sqlite

import (
	"context"
	"slices"
	"strings"

	"pruned/repo"
)

// A pair is the id of a knowledge base, a UUID of 36 characters, a slash, and that of a file.
// Links are looked for by their index, and then without: nothing tells of what type a value
// is. unknownLinksSQL are those of which the lack of a link proves nothing.
const (
	linkedSQL = `SELECT value FROM json_each(?1)
 WHERE EXISTS (SELECT 1 FROM main.knowledge_file l WHERE l.knowledge_id = substr(value, 1, 36) AND l.file_id = substr(value, 38))`

	linkedAsTextSQL = `SELECT value FROM json_each(?1)
 WHERE value IN (SELECT CAST(knowledge_id AS TEXT) || '/' || CAST(file_id AS TEXT) FROM main.knowledge_file)`

	unknownLinksSQL = `SELECT value FROM json_each(?1)
 WHERE NOT EXISTS (SELECT 1 FROM main.knowledge_file)
    OR NOT EXISTS (SELECT 1 FROM main.file f WHERE f.id = substr(value, 38))
    OR NOT EXISTS (SELECT 1 FROM main.knowledge k WHERE k.id = substr(value, 1, 36) AND instr({row}, substr(value, 38)) = 0)`
)

// findUnlinked says which of these pairs of a knowledge base and a file, both there, no row
// links. An older revision has no such table.
func (db *DB) findUnlinked(ctx context.Context, q querier, pairs []string) ([]string, error) {
	const doing = "look for %d links of knowledge bases"
	columns, err := querySet(ctx, q, danglingColumnsSQL, jsonList([]string{repo.KnowledgeLinks, "knowledge"}))
	if err != nil {
		return nil, translate(err, doing, len(pairs))
	}
	var row []string
	for name := range columns {
		if column, is := strings.CutPrefix(name, "knowledge."); is {
			row = append(row, `coalesce(CAST(k.`+quoteIdent(column)+` AS TEXT), '')`)
		}
	}
	if !columns[repo.KnowledgeLinks+".knowledge_id"] || !columns[repo.KnowledgeLinks+".file_id"] || len(row) == 0 {
		return nil, nil
	}
	slices.Sort(row)
	missing := slices.Clone(pairs)
	for _, query := range []string{linkedSQL, linkedAsTextSQL, strings.Replace(unknownLinksSQL, "{row}", strings.Join(row, " || ' ' || "), 1)} {
		if len(missing) == 0 {
			break
		}
		used, err := querySet(ctx, q, query, jsonList(missing))
		if err != nil {
			return nil, translate(err, doing, len(pairs))
		}
		missing = slices.DeleteFunc(missing, func(pair string) bool { return used[pair] })
	}
	return missing, nil
}
