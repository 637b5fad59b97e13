package chunktable

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"pruned/vectors"
)

const namesAtOnce = 500

// listNames lists every collection with the number of its chunks, page by page along the
// index on the names, in which those lie together that the database takes for equal.
func (s *Store) listNames(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		for after := []string(nil); ; {
			page, err := s.readNames(ctx, after)
			if err != nil {
				yield(vectors.Collection{}, err)
				return
			}
			for _, class := range page {
				if !s.yieldClass(ctx, class, yield) {
					return
				}
			}
			if len(page) < namesAtOnce {
				return
			}
			after = []string{page[len(page)-1].lowest}
		}
	}
}

// class are names that the database takes for equal.
type class struct {
	lowest, highest string
	chunks          int64
}

func (s *Store) readNames(ctx context.Context, after []string) (page []class, err error) {
	name := s.dialect.Bytes("collection_name")
	q := statement{
		from: "MIN(" + name + "), MAX(" + name + "), COUNT(*)",
		tail: " GROUP BY collection_name ORDER BY collection_name", limit: namesAtOnce,
	}
	for _, one := range after {
		q.where, q.args = append(q.where, "collection_name > ?"), append(q.args, one)
	}
	for values, err := range s.query(ctx, "list the collections", q, 3) {
		if err != nil {
			return nil, err
		}
		one := class{lowest: values[0].String, highest: values[1].String}
		if one.chunks, err = strconv.ParseInt(values[2].String, 10, 64); err != nil {
			return nil, s.describeFailure(ctx, "list the collections", err)
		}
		page = append(page, one)
	}
	return page, nil
}

// yieldClass tells of each name, and says whether more is wanted.
func (s *Store) yieldClass(ctx context.Context, c class, yield func(vectors.Collection, error) bool) bool {
	if c.lowest == c.highest {
		return yield(vectors.Collection{Name: c.lowest, Chunks: c.chunks}, nil)
	}
	name := s.dialect.Bytes("collection_name")
	q := statement{from: name + ", COUNT(*)", where: []string{"collection_name = ?"}, args: []any{c.lowest}, tail: " GROUP BY " + name}
	var list []vectors.Collection
	for values, err := range s.query(ctx, "tell collections apart", q, 2) {
		if err != nil {
			return yield(vectors.Collection{}, err) && false
		}
		chunks, _ := strconv.ParseInt(values[1].String, 10, 64) // it is a number, as the others were
		list = append(list, vectors.Collection{Name: values[0].String, Chunks: chunks})
	}
	return !slices.ContainsFunc(list, func(c vectors.Collection) bool { return !yield(c, nil) })
}

// ListCollections lists names, with their chunks: the index knows both.
func (s *Store) ListCollections(ctx context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) {
		for c, err := range s.listNames(ctx) {
			if (err != nil || vectors.IsListed(c.Name)) && !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// Strange lists collections that are not named as Open WebUI names them.
func (s *Store) Strange(ctx context.Context) (names []string, err error) {
	for c, err := range s.listNames(ctx) {
		if err != nil {
			return nil, err
		}
		if !vectors.IsKnown(c.Name) {
			names = append(names, c.Name)
		}
		if len(names) == vectors.MaxStrange {
			break
		}
	}
	slices.Sort(names)
	return names, nil
}
