package consumer

import "sync"

// outage is one reason why no claims are handled. Whoever begins or ends it
// learns whether that changed anything, and so logs it once.
type outage struct {
	mu    sync.Mutex
	cause error
	begun chan struct{} // closed while the outage lasts
}

func newOutage() *outage { return &outage{begun: make(chan struct{})} }

func (o *outage) set(cause error) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	first = o.cause == nil
	o.cause = cause
	if first {
		close(o.begun)
	}
	return first
}

func (o *outage) clear() (was bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cause == nil {
		return false
	}
	o.cause, o.begun = nil, make(chan struct{})
	return true
}

func (o *outage) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cause
}

// isSet returns a channel that is closed once the outage has begun.
func (o *outage) isSet() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.begun
}
