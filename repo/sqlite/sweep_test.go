package sqlite

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// TestTheLeadIsKeptDuringALongPass: a first pass that took longer than the lead lasts
// ended every sweep, in the name of a process that was not there.
func TestTheLeadIsKeptDuringALongPass(t *testing.T) {
	t.Parallel()
	db := opened(t, "a text")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, db.mutex.lock(ctx)) // as a pass does
	defer db.mutex.unlock()
	leads, err := db.AcquireLease(ctx, "a", time.Hour)
	require.NoError(t, err)
	require.True(t, leads)
	leads, err = db.AcquireLease(ctx, "b", time.Hour)
	require.NoError(t, err)
	require.False(t, leads)
	require.NoError(t, db.ReleaseLease(ctx, "a"))
	leads, err = db.AcquireLease(ctx, "b", time.Hour)
	require.NoError(t, err)
	require.True(t, leads)
}

// TestAPassEndsBesideAnApplicationThatWritesAllTheTime: to a database without a log.
// It lets the application go first three times, in vain, and then has it wait.
func TestAPassEndsBesideAnApplicationThatWritesAllTheTime(t *testing.T) {
	t.Parallel()
	db := openedWith(t, "delete", strings.Repeat("x", 2<<20))
	db.snapshot.yieldEvery = 0
	db.rate.perSecond = 600 // which makes 1 to 2 s of it
	app, err := testenv.OpenSQLite(db.options.Path, "delete")
	require.NoError(t, err)
	defer app.Close()
	done, began := make(chan struct{}), make(chan struct{})
	var application sync.WaitGroup
	application.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if _, err := app.Exec(`UPDATE note SET updated_at = ?`, i); err != nil {
				t.Errorf("the application waited too long: %v", err)
			}
			if i == 0 {
				close(began)
			}
		}
	})
	<-began
	err = db.IndexAll(context.Background(), nil)
	close(done)
	application.Wait()
	require.NoError(t, err)
}
