package chroma

import "time"

// SetPatience sets how long to wait for a lock.
func (e *Embedded) SetPatience(d time.Duration) { e.patience = d }
