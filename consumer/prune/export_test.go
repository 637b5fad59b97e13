package prune

// SetSize sets the size of the next batch.
func (b *Batch) SetSize(n int) { b.size.current.Store(int64(n)) }
