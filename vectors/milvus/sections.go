package milvus

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// looksAtOnce bounds the questions at one time: an answer that has seen all that was
// written waits for the server's clock, and does nothing meanwhile.
const looksAtOnce = 16

const fewSections = 2

// findSections are those in which chunks of these files lie, as of now; all of a few, since
// a look that finds nothing is no dearer there.
func (s *Store) findSections(ctx context.Context, all []section, files []string) (list []section, err error) {
	if len(all) <= fewSections {
		return all, nil
	}
	found := make([]bool, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(looksAtOnce)
	for i, from := range all {
		group.Go(func() error {
			rows, err := s.firstRows(ctx, from, question{metadata: true, files: files})
			found[i] = len(rows) > 0
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, from := range all {
		if found[i] {
			list = append(list, from)
		}
	}
	return list, nil
}
