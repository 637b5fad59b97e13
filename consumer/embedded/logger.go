package embedded

import (
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"
)

// logger takes the server's log. What is fatal to the server must not end the
// process: it is kept as the error of the start. What the server warns about it
// tries again by itself, such as a source that is recovered after the stream
// that reads it, at every start.
type logger struct {
	log zerolog.Logger

	mu    sync.Mutex
	ended error
}

func (l *logger) Noticef(format string, v ...any) { l.log.Debug().Msgf("queue: "+format, v...) }
func (l *logger) Warnf(format string, v ...any)   { l.log.Debug().Msgf("queue: "+format, v...) }
func (l *logger) Errorf(format string, v ...any)  { l.log.Error().Msgf("queue: "+format, v...) }
func (l *logger) Debugf(format string, v ...any)  { l.log.Debug().Msgf("queue: "+format, v...) }
func (l *logger) Tracef(format string, v ...any)  { l.log.Trace().Msgf("queue: "+format, v...) }

func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = errors.Join(l.ended, fmt.Errorf(format, v...))
}

func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}
