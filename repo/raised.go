package repo

import "strings"

// Raised stands for the message of what a function or a trigger raises: its author may
// have put a row into it.
const Raised = "a function or a trigger raises an exception, whose message is not told, since it may quote a row"

type raised struct {
	error
	message string
}

func (r *raised) Error() string { return strings.ReplaceAll(r.error.Error(), Raised, r.message) }
func (r *raised) Unwrap() error { return r.error }

// TellRaised returns err with the message in place of Raised, however often err was
// wrapped. It must quote no row.
func TellRaised(err error, message string) error { return &raised{err, message} }
