package postgres

import (
	"context"
	"strings"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// A pair is the id of a knowledge base, a UUID of 36 characters, a slash, and that of a file.
const (
	linkedSQL = `SELECT p FROM unnest($1::text[]) p
 WHERE EXISTS (SELECT FROM {links} l WHERE l.knowledge_id::text = left(p, 36) AND l.file_id::text = substr(p, 38))`

	// unknownLinksSQL are those of which the lack of a link proves nothing.
	unknownLinksSQL = `SELECT p FROM unnest($1::text[]) p
 WHERE NOT EXISTS (SELECT FROM {links})
    OR NOT EXISTS (SELECT FROM {files} f WHERE f.id::text = substr(p, 38))
    OR NOT EXISTS (SELECT FROM {knowledge} k WHERE k.id::text = left(p, 36) AND strpos(k::text, substr(p, 38)) = 0)`
)

// findUnlinked says which of these pairs of a knowledge base and a file, both there, no row
// links. An older revision has no such table.
func (db *DB) findUnlinked(ctx context.Context, t repo.Tx, pairs []string) ([]string, error) {
	there, err := db.hasTable(ctx, t, repo.KnowledgeLinks)
	if err != nil || !there {
		return nil, err
	}
	if err := db.requireTable(ctx, t, repo.KnowledgeLinks); err != nil {
		return nil, err
	}
	tables := strings.NewReplacer("{links}", db.quotedTable(repo.KnowledgeLinks), "{files}", db.quotedTable("file"), "{knowledge}", db.quotedTable("knowledge"))
	for _, sql := range []string{linkedSQL, unknownLinksSQL} {
		used, err := refindex.ReadColumn[string](ctx, pgxTx(t), tables.Replace(sql), pairs)
		if err != nil {
			return nil, pgerr.Translate(err, "look for %d links of knowledge bases", len(pairs))
		}
		if pairs = withoutThese(pairs, used); len(pairs) == 0 {
			return nil, nil
		}
	}
	came, err := db.index.FindUnindexed(ctx, pgxTx(t), repo.KnowledgeLinks, tables.Replace(linkedSQL), pairs)
	return withoutThese(pairs, came), err
}
