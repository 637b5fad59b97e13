package repo

import (
	"context"
	"time"
)

// Confirmations are what people let go of what a sweep held (see SweepStore.SetHold).
type Confirmations interface {
	// ConfirmHold lets the candidates go that a held sweep found in its stores, in these
	// directions or, without any, in all, and approves their stores. What was first found
	// after SetHold was last called is not among them. They are held no more. An
	// unknown id is ErrNoHold, and so is one that holds none of the directions.
	ConfirmHold(ctx context.Context, tx Tx, id string, only []Direction) ([]Hold, error)

	// ConfirmCandidates lets some candidates of a hold go, those of them that ConfirmHold
	// would, and approves its store. The rest stays held under the same id.
	ConfirmCandidates(ctx context.Context, tx Tx, h Hold, ids []string) error

	// CountUnconfirmed counts what stays held in a direction of which some was let go: the
	// person who chose meant that, however few they are. Elsewhere it is zero.
	CountUnconfirmed(ctx context.Context, tx Tx, d Direction) (int64, error)

	// FindConfirmation says when a held sweep was last confirmed; found is false without an
	// error where it never was, or where that was forgotten.
	FindConfirmation(ctx context.Context, id string) (at time.Time, found bool, err error)
}
