package integration

import (
	"time"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
)

// model is what must become of files, without a database.
type model struct {
	ages  repo.Ages
	files map[string]*modelFile
}

// modelFile is one id, with or without a row.
type modelFile struct {
	id       string
	uuid     bool
	row      bool
	ever     bool // there was a row
	age      time.Duration
	touched  time.Duration // since the row was
	pending  bool
	uses     map[string]string // rows that mention it: id of the row -> table
	chunks   int               // of its own and in the knowledge base
	bytes    bool
	bytesAge time.Duration
	clocked  bool
	clock    time.Duration
}

// event is what becomes of an event, and does it.
func (m *model) outcomeOf(id string) event.Outcome {
	f := m.files[id]
	if f == nil {
		return event.Gone
	}
	if !f.row {
		if f.uuid && f.bytes && f.bytesAge < m.ages.Min {
			return event.Young
		}
		m.clean(f)
		return event.Gone
	}
	if len(f.uses) > 0 {
		f.clocked = false
		return event.Kept
	}
	ran := f.clock >= m.ages.Orphan && (f.clocked || m.ages.Orphan == 0)
	if f.pending && f.touched < m.ages.Pending || f.age < m.ages.Min || !ran {
		if !f.clocked {
			f.clocked, f.clock = true, 0
		}
		return event.Young
	}
	f.row, f.clocked = false, false
	m.clean(f)
	f.bytes = false // its path names them, whatever its id
	return event.Deleted
}

// clean removes what bears the id of a file without a row. What is called by a word
// that never was a file's is another program's.
func (m *model) clean(f *modelFile) {
	if f.uuid || f.ever {
		f.chunks = 0
	}
	if f.uuid {
		f.bytes = false
	}
}

// pass is a pass of the index: what is in use has no clock.
func (m *model) pass() {
	for _, f := range m.files {
		if len(f.uses) > 0 {
			f.clocked = false
		}
	}
}

// wait lets time go by.
func (m *model) wait(d time.Duration) {
	for _, f := range m.files {
		f.age += d
		f.touched += d
		f.bytesAge += d
		f.clock += d
	}
}

func (m *model) left(id string) fixture.Left {
	f := m.files[id]
	if f == nil {
		return fixture.Nothing
	}
	l := fixture.Left{Row: f.row, Chunks: f.chunks}
	if f.bytes {
		l.Bytes = 1
	}
	return l
}
