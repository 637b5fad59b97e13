package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// sweepObject writes one object on one line, orphans first, as they are found.
type sweepObject struct {
	out     io.Writer
	orphans int
}

func (o *sweepObject) orphan(orphan sweep.Orphan) error {
	separator := `,`
	if o.orphans == 0 {
		separator = `{"orphans":[`
	}
	o.orphans++
	encoded, err := json.Marshal(orphan)
	if err != nil {
		return fmt.Errorf("encode an orphan: %w", err)
	}
	return o.write([]byte(separator), encoded)
}

// end completes the object, also of a sweep that failed: it says how far that came.
func (o *sweepObject) end(report sweep.Report, kept repo.Unsearchable, _ error) error {
	begin := "],"
	if o.orphans == 0 {
		begin = `{"orphans":[],`
	}
	if kept.Examples == nil {
		kept.Examples = []string{} // a list, also an empty one
	}
	encoded, err := json.Marshal(struct {
		sweep.Report
		AlwaysKept repo.Unsearchable `json:"always_kept"`
	}{report, kept})
	if err != nil {
		return fmt.Errorf("encode the report of a sweep: %w", err)
	}
	return o.write([]byte(begin), bytes.TrimPrefix(encoded, []byte("{")), []byte("\n"))
}

func (o *sweepObject) write(pieces ...[]byte) error {
	if _, err := o.out.Write(bytes.Join(pieces, nil)); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
