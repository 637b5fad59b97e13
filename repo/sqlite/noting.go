package sqlite

// noting looks for mentions in the texts of a full pass while the next ones are
// read: each takes about as long as the other.
type noting struct {
	note       func(*table, place, int, []byte)
	full, free chan *bundle
	open       *bundle // that texts are added to
	done       chan struct{}
}

// bundle is some texts, one after the other.
type bundle struct {
	data  []byte
	texts []noted
}

// noted is one text of a bundle, which begins where the one before it ends.
type noted struct {
	table  *table
	at     place
	column int
	end    int
}

const (
	bundleBytes = 256 << 10
	bundles     = 3
)

// startNoting has note called for every text that is added, in order, by another
// goroutine, until end returns.
func startNoting(note func(t *table, at place, column int, text []byte)) *noting {
	n := &noting{note: note, full: make(chan *bundle, bundles), free: make(chan *bundle, bundles), open: &bundle{}, done: make(chan struct{})}
	for range bundles - 1 {
		n.free <- &bundle{}
	}
	go func() {
		defer close(n.done)
		for b := range n.full {
			start := 0
			for _, t := range b.texts {
				n.note(t.table, t.at, t.column, b.data[start:t.end])
				start = t.end
			}
			if b.data, b.texts = b.data[:0], b.texts[:0]; cap(b.data) > 4*piece {
				b.data = nil
			}
			n.free <- b
		}
	}()
	return n
}

// add adds a copy of a text.
func (n *noting) add(t *table, at place, column int, text []byte) {
	n.open.data = append(n.open.data, text...)
	n.open.texts = append(n.open.texts, noted{t, at, column, len(n.open.data)})
	if len(n.open.data) >= bundleBytes {
		n.full <- n.open
		n.open = <-n.free
	}
}

// end waits until all that was added was noted.
func (n *noting) end() {
	n.full <- n.open
	close(n.full)
	<-n.done
}
