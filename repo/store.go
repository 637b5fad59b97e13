package repo

import (
	"context"
	"errors"
)

// StoreInfo is what a store says of itself. Of the zero value nothing is known: others may
// use the store, and only a person says that it is this installation's. vectors.Info has
// the same fields, so that one converts to the other and neither package knows the other.
type StoreInfo struct {
	Name string // tells it from every other: approvals and holds are kept under it
	// InDatabase: it lies in the database of the rows, where other installations may
	// have schemas.
	InDatabase bool
	// Folder is the one that it lies in, alone; empty where it lies in none.
	// FolderOptional: the application makes it when it needs it.
	Folder         string
	FolderOptional bool
}

// Mark is that of the folder that the store lies in; nil where it lies in none.
func (s StoreInfo) Mark() *Mark {
	if s.Folder == "" {
		return nil
	}
	return &Mark{Dir: s.Folder, Optional: s.FolderOptional}
}

// ShowsOwner says whether a store shows whose it is by its content. That of a server or
// a bucket shows nothing: a copy of this database would show the same.
func (s StoreInfo) ShowsOwner() bool { return s.InDatabase || s.Folder != "" }

// MarkedBy is the installation that marked a store's folder, unless that is this one.
func (s StoreInfo) MarkedBy(db Approvals) (owner string, marked bool, err error) {
	mark := s.Mark()
	if mark == nil {
		return "", true, nil
	}
	owner, err = mark.Owner()
	if owner == db.Identity().Key || owner == "" && err == nil && mark.Absent() {
		return "", true, err
	}
	return owner, false, err
}

// IsApproved says whether everything in a store may be this installation's: evidence, or a
// person, said so (see ownership), and the folder that it lies in, if any, still
// carries this installation's mark.
func IsApproved(ctx context.Context, db interface {
	Transactor
	Approvals
}, tx Tx, store StoreInfo) (is bool, err error) {
	if _, marked, err := store.MarkedBy(db); err != nil || !marked {
		return false, EnvironmentError("look whose "+store.Name+" is", err)
	}
	err = db.InTx(ctx, tx, func(tx Tx) (err error) {
		_, is, err = db.StoreApproval(ctx, tx, store.Name)
		return err
	})
	return is, err
}

// EnvironmentError is a failure that is no file's fault; nil where there is none.
func EnvironmentError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: Environment, Doing: doing, Err: err}
}

// ErrDryRun rolls back the transaction of a dry run, which did everything up to there.
var ErrDryRun = errors.New("dry run")

// StoreError gives a failure of a store outside the engine its kind, unless it is one
// of the transaction, which the engine has translated: the store's own failures are no
// file's fault.
func StoreError(ctx context.Context, doing string, err error, unusable bool) error {
	var translated *Error
	switch {
	case errors.As(err, &translated):
		return err
	case ctx.Err() != nil:
		return &Error{Kind: Passing, Doing: doing, Err: err}
	case unusable:
		return &Error{Kind: Environment, Doing: doing, Err: err}
	}
	return err
}
