package chroma

import (
	"os"
	"time"
)

// SetPatience sets how long to wait for a lock.
func (e *Embedded) SetPatience(d time.Duration) { e.patience = d }

// SetClock moves the clock ahead, since nobody can set back when a file was changed.
func (e *Embedded) SetClock(ahead time.Duration) {
	e.clock = func() time.Time { return time.Now().Add(ahead) }
}

// SetSeen is called when folders were seen and their segments were not read yet.
func (e *Embedded) SetSeen(seen func()) { e.seen = seen }

// SetRemove removes a folder in its own way.
func (e *Embedded) SetRemove(remove func(*os.Root, string) error) { e.remove = remove }
