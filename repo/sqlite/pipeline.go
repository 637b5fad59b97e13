package sqlite

// textPipeline looks for mentions in the texts of a full pass while the next ones are
// read: each takes about as long as the other.
type textPipeline struct {
	handle     func(*table, rowRef, int, []byte)
	full, free chan *textBatch
	open       *textBatch // that texts are added to
	done       chan struct{}
}

// textBatch is some texts, one after the other.
type textBatch struct {
	data  []byte
	texts []batchedText
}

// batchedText is one text of a bundle, which begins where the one before it ends.
type batchedText struct {
	table  *table
	at     rowRef
	column int
	end    int
}

const (
	textBatchBytes = 256 << 10
	textBatchCount = 3
)

// startPipeline has note called for every text that is added, in order, by another
// goroutine, until end returns.
func startPipeline(note func(t *table, at rowRef, column int, text []byte)) *textPipeline {
	n := &textPipeline{handle: note, full: make(chan *textBatch, textBatchCount), free: make(chan *textBatch, textBatchCount), open: &textBatch{}, done: make(chan struct{})}
	for range textBatchCount - 1 {
		n.free <- &textBatch{}
	}
	go func() {
		defer close(n.done)
		for b := range n.full {
			start := 0
			for _, t := range b.texts {
				n.handle(t.table, t.at, t.column, b.data[start:t.end])
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

func (n *textPipeline) addText(t *table, at rowRef, column int, text []byte) {
	n.open.data = append(n.open.data, text...)
	n.open.texts = append(n.open.texts, batchedText{t, at, column, len(n.open.data)})
	if len(n.open.data) >= textBatchBytes {
		n.full <- n.open
		n.open = <-n.free
	}
}

// finish waits until every text that was added was handled.
func (n *textPipeline) finish() {
	n.full <- n.open
	close(n.full)
	<-n.done
}
