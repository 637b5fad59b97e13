package postgres

import (
	"context"

	"pruned/repo/postgres/pgerr"
)

// unmarkSQL takes tokens in sets of a fixed size. $1 are tokens.
const unmarkSQL = `
DELETE FROM pruned.candidate c USING pruned.known_file k
 WHERE k.token = ANY ($1::text[]) AND c.file_id = k.file_id AND c.direction = 'row'`

// unmarkMentioned reads a relation that the index cannot hold, as each sweep has
// to, and forgets the candidates that its living rows mention.
func (x *indexer) unmarkMentioned(ctx context.Context, r *relation) error {
	if _, err := x.t.Exec(ctx, r.cursorSQL("NULL::text", "''::text", "true"+r.alive())); err != nil {
		return pgerr.Translate(err, "read table %s", r)
	}
	page := newPage(r, nil, nil)
	for more := true; more; {
		var err error
		if more, err = x.fetch(ctx, page); err != nil {
			return err
		}
		if more && !page.full() {
			continue
		}
		if _, err := x.t.Exec(ctx, unmarkSQL, page.tokens); err != nil {
			return pgerr.Translate(err, "forget the candidates that table %s mentions", r)
		}
		page.empty()
	}
	_, err := x.t.Exec(ctx, "CLOSE pruned_read")
	return pgerr.Translate(err, "close a cursor")
}
