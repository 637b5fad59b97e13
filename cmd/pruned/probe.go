package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// probe says what is wrong, if anything is, and what is worth knowing besides: a line each.
type probe func(context.Context) (note string, err error)

// ServeHTTP answers 200, or 503 with what is wrong, in text.
func (p probe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	note, err := p(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprint(w, "ok\n", note)
}

// verdict is the answer of a probe in JSON.
type verdict struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons"` // why not
	Notes   []string `json:"notes"`   // what a person should know in any case
}

// inJSON answers with the same status, and with lists that a program can read.
func (p probe) inJSON() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note, err := p(r.Context())
		v := verdict{OK: err == nil, Reasons: []string{}, Notes: linesOf(note)}
		if err != nil {
			v.Reasons = linesOf(err.Error())
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v) // whoever asked has gone
	})
}

// linesOf lists the lines of a text, as errors.Join makes them of several.
func linesOf(text string) []string {
	list := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// whyNot reads the reasons out of an answer in JSON.
func whyNot(body string) error {
	var v verdict
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return errors.New("its answer cannot be read")
	}
	return errors.New(strings.Join(v.Reasons, "; "))
}
