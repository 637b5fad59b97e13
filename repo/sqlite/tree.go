package sqlite

import (
	"context"
	"slices"
)

// tree is the pages of a table, as a pass has found them.
//
// The leaves of a table are what the pages above them say, and there are as many of those as
// there are rows, however few were written. As long as none of them was, they lead from the
// root, which stays where it is, to the same leaves, since all leaves are equally deep:
// a pass over changes need not read them again. A pass that was ended early may leave a
// tree of a later state than the index; the next is told what was written since the earlier.
type tree struct{ above, leaves []uint32 }

// treeOf returns the pages of a table, where all that were written since the state of the
// index are given. A new index knows none.
func (r *indexPass) treeOf(ctx context.Context, t *table, written pageSet) (tree, error) {
	known, is := r.index.trees[t.root]
	if is && !slices.ContainsFunc(known.above, written.has) {
		return known, nil
	}
	above, leaves, err := r.pager.Tree(ctx, t.root)
	if err != nil {
		return tree{}, err
	}
	r.index.trees[t.root] = tree{above, leaves}
	return r.index.trees[t.root], nil
}

// pageSet is a set of pages, a bit each.
type pageSet []uint64

func (s *pageSet) add(page uint32) {
	if n := int(page/64) + 1 - len(*s); n > 0 {
		*s = append(*s, make([]uint64, n)...)
	}
	(*s)[page/64] |= 1 << (page % 64)
}

func (s pageSet) has(page uint32) bool {
	return int(page/64) < len(s) && s[page/64]&(1<<(page%64)) != 0
}
