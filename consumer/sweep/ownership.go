package sweep

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"pruned/repo"
	"pruned/vectors"
)

// ownership is whether a store is this installation's. It is so if somebody said it
// (sweep --confirm), or by evidence: more than half of what a local store holds
// belongs to rows of this database, and no sign of another installation is there. Of a
// database that ran elsewhere before, a folder shows nothing by what it holds.
// What a person saw, and let go, is no sign any more.
type ownership struct {
	approved bool
	why      string // it is not, or what in it is another's; a sentence
}

// determineOwner looks whose a store is, and binds or unbinds it.
func (w *run) determineOwner(ctx context.Context, tx repo.Tx, d *direction) (o ownership, err error) {
	owner, marked, err := d.store.MarkedBy(w.DB)
	if err != nil {
		return ownership{why: err.Error()}, nil
	}
	signs, err := w.findNeighbours(ctx, tx, d.store)
	if err != nil {
		return o, err
	}
	accepted, bound, err := w.DB.StoreApproval(ctx, tx, d.store.Name)
	if err != nil {
		return o, err
	}
	makers, err := w.findUnknownMakers(ctx, tx, d)
	if err != nil {
		return o, err
	}
	if bound && signs != "" && signs != accepted {
		if err := w.DB.RevokeStore(ctx, tx, d.store.Name); err != nil {
			return o, err
		}
		bound = false
	}
	switch {
	case w.confirmed[d.store.Name]:
		return ownership{approved: true, why: makers}, nil
	case owner != "":
		return ownership{why: "the folder is marked as another installation's (" + owner + ")"}, nil
	case bound && marked:
		return ownership{approved: true, why: makers}, nil
	case !d.store.ShowsOwner():
		return ownership{why: "first sweep of a store that others may use"}, nil
	case d.store.Folder != "" && w.DB.Identity().Elsewhere != "":
		// A copy knows most of what the original's folder holds.
		return ownership{why: "this database ran at " + w.DB.Identity().Elsewhere + " before, and the folder may be that installation's"}, nil
	case signs != "":
		return ownership{why: "the database also has " + signs + ", which may keep its own here"}, nil
	case makers != "":
		return ownership{why: makers}, nil
	case 2*d.known <= d.there && d.there > 0:
		return ownership{why: fmt.Sprintf("only %s%d of the %d files in it belong to rows of this database", d.about(), d.known, d.there)}, nil
	}
	return ownership{approved: true}, w.approveStore(ctx, tx, d.store, signs)
}

// findNeighbours names other installations in the database that a store lies in.
func (w *run) findNeighbours(ctx context.Context, tx repo.Tx, store repo.StoreInfo) (string, error) {
	if !store.InDatabase {
		return "", nil
	}
	schemas, err := w.DB.ListNeighbours(ctx, tx)
	if err != nil || len(schemas) == 0 {
		return "", err
	}
	return "another installation in schema " + strings.Join(schemas, ", "), nil
}

// findUnknownMakers says that chunks of files without a row were made by users that this database
// never had. What is no UUID is no id of a user.
func (w *run) findUnknownMakers(ctx context.Context, tx repo.Tx, d *direction) (string, error) {
	if d.Direction != repo.FromVectors || len(d.sample) == 0 {
		return "", nil
	}
	holdings, err := w.Vectors.Holdings(ctx, d.sample)
	if err != nil {
		return "", &listError{d.store.Name, err}
	}
	users, seen := []string{}, map[string]bool{}
	for _, h := range holdings {
		if uuid.Validate(h.CreatedBy) == nil && !seen[h.CreatedBy] {
			seen[h.CreatedBy] = true
			users = append(users, h.CreatedBy)
		}
	}
	if len(users) == 0 {
		return "", nil
	}
	unknown, err := w.DB.FindUnknownUsers(ctx, tx, users)
	if err != nil || len(unknown) == 0 {
		return "", err
	}
	return fmt.Sprintf("chunks without a row were made by %d users that this database never had, such as %s", len(unknown), unknown[0]), nil
}

// approveStore notes that a store is this installation's, in the database and in its folder.
func (w *run) approveStore(ctx context.Context, tx repo.Tx, store repo.StoreInfo, accepted string) error {
	if err := w.DB.ApproveStore(ctx, tx, store.Name, accepted); err != nil {
		return err
	}
	if w.DryRun {
		w.confirmed[store.Name] = true
	}
	if w.DryRun || store.Folder == "" {
		return nil
	}
	return repo.EnvironmentError("bind "+store.Name, store.Mark().Set(w.DB.Identity().Key))
}

// maxEvidence bounds what is listed of a store only to see whose it is.
const maxEvidence = 5000

// ApproveStores binds the stores that show by what they hold that they are this
// installation's, where that has not been seen before: whoever consumes without
// sweeping needs it.
func (s *Sweeper) ApproveStores(ctx context.Context) error {
	if s.DryRun {
		return nil
	}
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	w := &run{Sweeper: s, confirmed: map[string]bool{}}
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		for _, d := range w.storeDirections() {
			if !d.store.ShowsOwner() {
				continue
			}
			bound, err := repo.IsApproved(ctx, s.DB, tx, d.store)
			if err == nil && !bound {
				err = w.approveByEvidence(ctx, tx, d)
			}
			var listing *listError
			if errors.As(err, &listing) && ctx.Err() == nil {
				s.Log.Warn().Err(err).Msg("nobody can tell whose store this is; nothing in it is removed")
				err = nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *run) approveByEvidence(ctx context.Context, tx repo.Tx, d *direction) error {
	count, read := &tally{}, 0
	for page, err := range d.pages(ctx, pageSize) {
		if err == nil {
			_, err = count.addPage(ctx, w.DB, tx, d.Direction, page)
		}
		if err != nil {
			return err
		}
		if read += len(page); read >= maxEvidence {
			break
		}
	}
	d.setContents(count)
	o, err := w.determineOwner(ctx, tx, d)
	if err == nil && !o.approved {
		w.Log.Warn().Str("store", d.store.Name).Str("reason", o.why).
			Msg("not known to be this installation's: nothing in it is removed; `pruned sweep` tells more")
	}
	return err
}

// reportForeign says once that there are collections of other programs.
func (w *run) reportForeign(ctx context.Context) {
	if w.toldForeign {
		return
	}
	names, err := ForeignCollections(ctx, w.DB, w.Vectors)
	switch {
	case err != nil && !errors.Is(err, vectors.ErrUnusable):
		w.Log.Warn().Err(err).Msg("the collections of other programs cannot be listed")
	case err == nil:
		w.toldForeign, w.report.Foreign = true, names
		if len(names) > 0 {
			w.Log.Info().Int("collections", len(names)).Str("such_as", shortList(names, 5)).
				Msg("collections that are not Open WebUI's are never looked into, and never touched")
		}
	}
}
