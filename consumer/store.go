package consumer

import (
	"context"

	"pruned/repo"
)

// StoreInfo tells of a store what its contract does not. Of the zero value nothing is
// known: others may use the store, and only a person says that it is this
// installation's.
type StoreInfo struct {
	Name string // names it in holds
	// Beside: it lies in this database, where other installations may have schemas.
	Beside bool
	// Mark is that of the folder that it lies in; nil where it lies in none.
	Mark *repo.Mark
}

// local stores show whose they are by what they hold. What a server or a bucket holds
// shows nothing: a copy of this database would show the same.
func (s StoreInfo) local() bool { return s.Beside || s.Mark != nil }

// foreign is the installation that marked a store's folder, unless that is this one.
func (s StoreInfo) foreign(db repo.Ownership) (owner string, marked bool, err error) {
	if s.Mark == nil {
		return "", true, nil
	}
	owner, err = s.Mark.Owner()
	if owner == db.Identity().Key || owner == "" && err == nil && s.Mark.Absent() {
		return "", true, err
	}
	return owner, false, err
}

// Bound says whether everything in a store may be this installation's: evidence, or a
// person, said so (see ownership), and the folder that it lies in, if any, still
// carries this installation's mark.
func Bound(ctx context.Context, db repo.DB, tx repo.Tx, store StoreInfo) (is bool, err error) {
	if _, marked, err := store.foreign(db); err != nil || !marked {
		return false, environment("look whose "+store.Name+" is", err)
	}
	err = db.InTx(ctx, tx, func(tx repo.Tx) (err error) {
		_, is, err = db.Binding(ctx, tx, store.Name)
		return err
	})
	return is, err
}

func environment(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &repo.Error{Kind: repo.Environment, Doing: doing, Err: err}
}
