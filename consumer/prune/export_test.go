package prune

// SetSize sets the size of the next batch.
func (h *Handler) SetSize(n int) { h.batchSize.current.Store(int64(n)) }
