package repo

import (
	"context"
	"time"
)

// Confirmations are what people let go of what a sweep held (see SweepStore.SetHold).
type Confirmations interface {
	// ConfirmHold lets the candidates go that a held sweep found in its stores, all its
	// directions, and approves their stores. What was first found
	// after SetHold was last called is not among them. They are held no more. An
	// unknown id is ErrNoHold.
	ConfirmHold(ctx context.Context, tx Tx, id string) ([]Hold, error)

	// FindConfirmation says when a held sweep was last confirmed; found is false without an
	// error where it never was, or where that was forgotten.
	FindConfirmation(ctx context.Context, id string) (at time.Time, found bool, err error)
}
