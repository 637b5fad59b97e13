package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"pruned/repo"
	"pruned/repo/blobs/bucket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a server that does as it is told.
type memory struct {
	mu             sync.Mutex
	objects        map[string]bool
	asked          map[string]int   // requests, by what they were
	stays          map[string]error // keys that stay, and what is said of them
	refusesBatches bool
	backwards      bool // it lists in an order of its own
	listError      error
	noBucket       bool
}

func newMemory(keys ...string) *memory {
	m := &memory{objects: map[string]bool{}, asked: map[string]int{}, stays: map[string]error{}}
	for _, key := range keys {
		m.objects[key] = true
	}
	return m
}

func (m *memory) ask(what string) func() {
	m.mu.Lock()
	m.asked[what]++
	return m.mu.Unlock
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return m.ListAfter(ctx, prefix, "")
}

func (m *memory) ListAfter(_ context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		done := m.ask("list")
		keys := slices.Sorted(maps.Keys(m.objects))
		done()
		if m.backwards {
			slices.Reverse(keys)
		}
		for i, key := range keys {
			if m.listError != nil && i == len(keys)/2 {
				yield(bucket.Object{}, m.listError)
				return
			}
			if strings.HasPrefix(key, prefix) && key > after && !yield(bucket.Object{Key: key, Size: 5, Modified: time.Now()}, nil) {
				return
			}
		}
	}
}

func (m *memory) Stat(_ context.Context, key string) (bucket.Object, bool, error) {
	defer m.ask("stat")()
	return bucket.Object{Key: key, Size: 5, Modified: time.Now()}, m.objects[key], nil
}

func (m *memory) Get(context.Context, string) (io.ReadCloser, error) { return nil, nil }

func (m *memory) Remove(_ context.Context, key string) error {
	defer m.ask("remove")()
	return m.remove(key)
}

func (m *memory) remove(key string) error {
	said, stays := m.stays[key]
	if !stays {
		delete(m.objects, key)
	}
	return said
}

func (m *memory) MaxBatch() int { return 100 }

func (m *memory) RemoveBatch(_ context.Context, keys []string) (map[string]error, error) {
	defer m.ask("batch")()
	if m.refusesBatches {
		return nil, bucket.ErrBatchRefused
	}
	refused := map[string]error{}
	for _, key := range keys {
		if err := m.remove(key); err != nil {
			refused[key] = err
		}
	}
	return refused, nil
}

func (m *memory) CheckBucket(context.Context) error {
	if m.noBucket {
		return errors.New("there is no bucket")
	}
	return nil
}
func (m *memory) CheckRemove(context.Context, string) error { return nil }
func (m *memory) Close() error                              { return nil }

func storeOf(t *testing.T, m *memory) *bucket.Store {
	t.Helper()
	store := bucket.New(bucket.Options{Client: m, Clock: &bucket.Clock{}, Prefix: "team", Name: "memory"})
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// keysOf are those of n files, in order.
func keysOf(n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("team/%08x-7c2f-4a57-9b1f-0e9f3d6a1c11_report.pdf", i))
	}
	return keys
}

// Hundreds take a few requests where they lie close to each other, and a look at each where
// they do not.
func TestManyTakeFewRequests(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]int{"all": 1, "each tenth": 10, "a few of many": 500} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := keysOf(5000)
			m, wanted := newMemory(keys...), []string{}
			for i := 0; i < len(keys); i += every {
				wanted = append(wanted, keys[i])
			}
			failed, err := storeOf(t, m).Remove(t.Context(), wanted)
			require.NoError(t, err)
			require.Empty(t, failed)
			require.Len(t, m.objects, len(keys)-len(wanted))
			require.Zero(t, m.asked["remove"])
			switch every {
			case 500:
				require.LessOrEqual(t, m.asked["stat"], 2*len(wanted), "once before, and once after")
				require.GreaterOrEqual(t, m.asked["stat"], len(wanted)/2)
				require.LessOrEqual(t, m.asked["list"], 2)
			default:
				require.Zero(t, m.asked["stat"])
				require.LessOrEqual(t, m.asked["list"], 16)
			}
		})
	}
}

// What the second look finds is still there, whatever was said; what was said of it is told.
func TestWhatStaysIsTold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*memory){
		"by a listing":                func(*memory) {},
		"one by one":                  func(m *memory) { m.backwards = true },
		"where batches are not taken": func(m *memory) { m.refusesBatches = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := keysOf(300)
			m := newMemory(keys...)
			m.stays[keys[7]], m.stays[keys[8]] = nil, fmt.Errorf("%w: it is leased", bucket.ErrRefused)
			change(m)
			failed, err := storeOf(t, m).Remove(t.Context(), keys)
			require.NoError(t, err)
			require.Len(t, failed, 2)
			require.ErrorContains(t, failed[keys[7]], "still has it")
			require.ErrorContains(t, failed[keys[8]], "it is leased")
			require.Len(t, m.objects, 2)
		})
	}
}

// Of a listing that ends with an error nothing is gone, nor in a bucket that is not there.
func TestHalfALookIsNone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*memory){
		"half a listing": func(m *memory) { m.listError = errors.New("reset") },
		"no bucket":      func(m *memory) { clear(m.objects); m.noBucket = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := keysOf(50)
			m := newMemory(keys...)
			change(m)
			_, err := storeOf(t, m).Remove(t.Context(), keys)
			require.Error(t, err)
			require.Equal(t, repo.Environment, repo.KindOf(err))
			require.Zero(t, m.asked["batch"]+m.asked["remove"])
		})
	}
}

// What the guard does not let go stays, and nothing is said of it; keys that servers read
// in different ways are sent alone.
func TestTheGuardIsAsked(t *testing.T) {
	t.Parallel()
	keys := append(keysOf(1200), "team/0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11_tab\there", `team/0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11_a\b`)
	m := newMemory(keys[1:]...)
	asks := 0
	failed, err := storeOf(t, m).RemoveGuarded(t.Context(), append(keys, "a//b"), func(_ context.Context, names []string, there map[string]repo.Blob) ([]string, error) {
		asks++
		require.NotContains(t, there, keys[0])
		if asks == 1 {
			require.Contains(t, names, keys[0], "copies and versions may go of what is not there")
			require.EqualValues(t, 5, there[keys[1]].Size)
		}
		return slices.DeleteFunc(names, func(name string) bool { return name == keys[600] }), nil
	})
	require.NoError(t, err)
	require.Len(t, failed, 1)
	require.ErrorIs(t, failed["a//b"], repo.ErrOutside)
	require.Equal(t, map[string]bool{keys[600]: true}, m.objects)
	require.Equal(t, 2, m.asked["remove"])
	require.Greater(t, asks, 1)
}
