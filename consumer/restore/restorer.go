package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/consumer/fault"
	"pruned/repo"
)

// What the ledger says of a file that came back.
const (
	Outcome = "restored"
	Source  = "restore"
)

// Database is what is needed of the database.
type Database interface {
	repo.Transactor
	repo.Trash
	repo.Keeps
	// RecordEntries writes the ledger (see repo.Pruner).
	RecordEntries(ctx context.Context, tx repo.Tx, entries []repo.Entry) error
}

// Restorer brings files back, each in a transaction of its own.
type Restorer struct {
	DB           Database
	Blobs        repo.Blobs
	WithoutBytes bool   // also where the bytes are gone
	DryRun       bool   // takes the same path and rolls back
	By           string // who asked for it, for the ledger; may be empty
	Keep         *Keep
}

// Keep is for how long what comes back is kept, zero: for ever, and why (see repo.Keeps).
type Keep struct {
	Lasts time.Duration
	Note  string
}

// Result is what became of one file.
type Result struct {
	repo.Trashed
	repo.Restored
	Refused string `json:"refused,omitempty"` // why it is not restored; empty where it is
	Absent  bool   `json:"-"`                 // since it is not in the trash
}

// Why a file is not restored.
var (
	errNotThere  = errors.New("it is not in the trash")
	errBytesGone = errors.New("its bytes are gone: --without-bytes restores the row alone")
)

// Restore restores one file. err is a failure that other files would meet as well.
func (r *Restorer) Restore(ctx context.Context, id string) (result Result, err error) {
	result.FileID = id
	err = r.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		result, err = r.restoreIn(ctx, tx, id)
		fault.Point("restore written")
		if err == nil && r.DryRun {
			err = repo.ErrDryRun
		}
		return err
	})
	fault.Point("restore committed")
	switch {
	case errors.Is(err, repo.ErrDryRun):
		return result, nil
	case errors.Is(err, errNotThere), errors.Is(err, errBytesGone), errors.Is(err, repo.ErrLivesAgain):
		result.Refused, result.Absent = reasonOf(err), errors.Is(err, errNotThere)
		return result, nil
	case err != nil && repo.KindOf(err) == repo.Permanent:
		result.Refused = err.Error()
		return result, nil
	}
	return result, err
}

// reasonOf is a refusal without what was being done.
func reasonOf(err error) string {
	var e *repo.Error
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

func (r *Restorer) restoreIn(ctx context.Context, tx repo.Tx, id string) (result Result, err error) {
	result.FileID = id
	entry, found, err := r.DB.LockTrash(ctx, tx, id)
	if err != nil {
		return result, err
	}
	if !found {
		return result, errNotThere
	}
	result.Trashed = entry
	if !r.WithoutBytes {
		if err := r.checkBytes(ctx, entry); err != nil {
			return result, err
		}
	}
	fault.Point("restore found")
	if result.Restored, err = r.DB.Restore(ctx, tx, id); err != nil {
		return result, err
	}
	if r.Keep != nil {
		if _, err := r.DB.KeepFile(ctx, tx, id, r.Keep.Lasts, r.Keep.Note); err != nil {
			return result, err
		}
	}
	reason := "taken back from the trash"
	if r.By != "" {
		reason += ", by " + r.By
	}
	return result, r.DB.RecordEntries(ctx, tx, []repo.Entry{{FileID: id, Path: entry.Path, Outcome: Outcome, Source: Source, Reason: reason}})
}

// checkBytes looks for the bytes while nobody can claim them. That they cannot be looked
// for is no sign that they are gone.
func (r *Restorer) checkBytes(ctx context.Context, entry repo.Trashed) error {
	name := r.Blobs.NameOf(entry.Path)
	if name == "" {
		return nil // the row never named any
	}
	if entry.BytesGone {
		return errBytesGone
	}
	_, there, err := r.Blobs.Stat(ctx, name)
	switch {
	case errors.Is(err, repo.ErrOutside):
		return errBytesGone
	case err != nil:
		return repo.EnvironmentError(fmt.Sprintf("look for the bytes of file %s", entry.FileID), err)
	case !there:
		return errBytesGone
	}
	return nil
}
