package repo

import (
	"context"
	"errors"
)

// StoreInfo tells of a store what its contract does not. Of the zero value nothing is
// known: others may use the store, and only a person says that it is this
// installation's.
type StoreInfo struct {
	Name string // names it in holds
	// Beside: it lies in this database, where other installations may have schemas.
	Beside bool
	// Mark is that of the folder that it lies in; nil where it lies in none.
	Mark *Mark
}

// ShowsOwner says whether a store shows whose it is by its content. That of a server or
// a bucket shows nothing: a copy of this database would show the same.
func (s StoreInfo) ShowsOwner() bool { return s.Beside || s.Mark != nil }

// MarkedBy is the installation that marked a store's folder, unless that is this one.
func (s StoreInfo) MarkedBy(db Approvals) (owner string, marked bool, err error) {
	if s.Mark == nil {
		return "", true, nil
	}
	owner, err = s.Mark.Owner()
	if owner == db.Identity().Key || owner == "" && err == nil && s.Mark.Absent() {
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
