package vectors

import (
	"context"
	"iter"
)

// None is the store of an installation without one.
type None struct{}

var _ Transactional = None{}

// Info says that it is nobody else's.
func (None) Info() Info { return Info{Name: "none", InDatabase: true} }

// RemoveInTx does nothing, and leaves nothing.
func (None) RemoveInTx(context.Context, Tx, []string) (int64, bool, error) { return 0, false, nil }

// Remove does nothing.
func (None) Remove(context.Context, Tx, []string) (Removed, error) { return Removed{}, nil }

// Collections is empty.
func (None) Collections(context.Context, string) ([]Collection, error) { return nil, nil }

// Files is empty.
func (None) Files(context.Context) iter.Seq2[File, error] { return func(func(File, error) bool) {} }

// Holdings is empty.
func (None) Holdings(context.Context, []string) ([]Holding, error) { return nil, nil }

// Strange is empty.
func (None) Strange(context.Context) ([]string, error) { return nil, nil }

// Check has nothing to check.
func (None) Check(context.Context) error { return nil }

// Close has nothing to close.
func (None) Close() {}
