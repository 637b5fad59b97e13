package vectors

import "context"

// None is the store of an installation without one.
type None struct{}

var _ Store = None{}

// Join does nothing.
func (None) Join(context.Context, Tx, []string, []string) (int64, bool, error) { return 0, false, nil }

// Remove does nothing.
func (None) Remove(context.Context, Tx, []string) (int64, error) { return 0, nil }

// Collections is empty.
func (None) Collections(context.Context, string) ([]Collection, error) { return nil, nil }

// Check has nothing to check.
func (None) Check(context.Context) error { return nil }

// Close has nothing to close.
func (None) Close() {}
