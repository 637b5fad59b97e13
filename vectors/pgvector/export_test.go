package pgvector

// Sessions is how many sessions the store has opened so far.
func (s *Store) Sessions() int64 { return s.pool.Stat().NewConnsCount() }
