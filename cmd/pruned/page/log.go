package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	maxLogLines = 200
	maxLogLine  = 1000 // characters of one
)

// Log keeps the last lines of the process's log that are no details. A logger writes them
// into it, whatever its level; the zero value is ready.
type Log struct {
	mu    sync.Mutex
	lines []string
}

var _ zerolog.LevelWriter = (*Log)(nil)

// WriteLevel keeps a line.
func (l *Log) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	if level < zerolog.InfoLevel {
		return len(line), nil
	}
	text := cut(maxLogLine, describeLine(line))
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == maxLogLines {
		l.lines = slices.Delete(l.lines, 0, 1)
	}
	l.lines = append(l.lines, text)
	return len(line), nil
}

// Write keeps a line of no level.
func (l *Log) Write(line []byte) (int, error) { return l.WriteLevel(zerolog.NoLevel, line) }

// Text are the lines, the newest last.
func (l *Log) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// describeLine writes one entry in one line: time, level, message, and the fields by their
// names.
func describeLine(line []byte) string {
	fields := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if decoder.Decode(&fields) != nil {
		return readableLine(string(line))
	}
	at, level, message := take(fields, zerolog.TimestampFieldName), take(fields, zerolog.LevelFieldName), take(fields, zerolog.MessageFieldName)
	if parsed, err := time.Parse(time.RFC3339, at); err == nil {
		at = parsed.UTC().Format(time.DateTime)
	}
	told := make([]string, 0, len(fields))
	for name, value := range fields {
		told = append(told, name+"="+describeValue(value))
	}
	slices.Sort(told)
	return readableLine(fmt.Sprintf("%s %-5s %s %s", at, level, message, strings.Join(told, " ")))
}

// take takes a field out of an entry.
func take(fields map[string]any, name string) string {
	value, is := fields[name]
	delete(fields, name)
	if !is {
		return ""
	}
	return describeValue(value)
}

func describeValue(value any) string {
	if text, is := value.(string); is {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// readableLine keeps what stands in a field from looking like a line of its own.
func readableLine(text string) string { return strings.TrimSpace(strings.Map(readable, text)) }
