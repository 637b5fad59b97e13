package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// seedLeftovers makes them. The notes that mention collections are few and long, as chats
// are.
func (w *world) seedLeftovers(ctx context.Context, n leftovers) error {
	w.leftovers = n
	if err := w.seedSearches(ctx, n.searches(), int(n)); err != nil {
		return err
	}
	return w.execEach(ctx, []any{n.memories(), int(n), memoryCollection},
		`INSERT INTO document_chunk (id, collection_name, text, vmetadata)
		 SELECT id, $3::text, 'a memory', '{}' FROM unnest($1::text[]) id WHERE $2::int >= 0`,
		`INSERT INTO memory (id, user_id, content, created_at, updated_at)
		 SELECT id, 'u', 'a memory', 1, 1 FROM unnest(($1::text[])[$2::int + 1:]) id WHERE $3::text <> ''`)
}

// seedSearches makes collections of web searches, of which the first nothing mentions.
func (w *world) seedSearches(ctx context.Context, names []string, unused int) error {
	return w.execEach(ctx, []any{names, unused},
		`INSERT INTO document_chunk (id, collection_name, text, vmetadata)
		 SELECT gen_random_uuid()::text, name, 'a page', '{}' FROM unnest($1::text[]) name WHERE $2::int >= 0`,
		`INSERT INTO note (id, user_id, title, data, created_at, updated_at)
		 SELECT gen_random_uuid()::text, 'u', 'searches', json_build_object('names', json_agg(name)), 1, 1
		   FROM unnest($1::text[]) WITH ORDINALITY s (name, i) WHERE i > $2::int GROUP BY i / 50`)
}

const leftoversSQL = `
SELECT count(DISTINCT collection_name) FILTER (WHERE collection_name = ANY (($1::text[])[$3::int + 1:])),
       count(*) FILTER (WHERE collection_name = $4::text AND id = ANY (($2::text[])[$3::int + 1:])),
       count(DISTINCT collection_name) FILTER (WHERE collection_name = ANY (($1::text[])[:$3::int])),
       count(*) FILTER (WHERE collection_name = $4::text AND id = ANY (($2::text[])[:$3::int])),
       (SELECT count(*) FROM pruned.tombstone WHERE kind NOT IN ('vectors', 'bytes'))
  FROM document_chunk WHERE collection_name = ANY ($1::text[] || $4::text)`

func (w *world) countLeftovers(ctx context.Context) (c leftoverCount, err error) {
	n := w.leftovers
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, leftoversSQL, n.searches(), n.memories(), int(n), memoryCollection).
			Scan(&c.searches, &c.memories, &c.unusedSearches, &c.unusedMemories, &c.tombstones)
	})
	return c, errors.Join(err, w.countLeftoverChunks(ctx, &c))
}

func (w *world) ageLeftovers(ctx context.Context) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `UPDATE pruned.candidate SET first_seen = first_seen - interval '2 days' WHERE direction IN ('collection', 'points')`)
		return err
	})
}
