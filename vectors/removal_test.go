package vectors_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/vectors"
)

// shelf holds chunks whose keys are a file and a number, and gives out two at a time.
type shelf struct {
	keys     []string
	deaf     bool // says that it deletes, and does not
	requests [][]string
}

func fileOf(key string) string {
	file, _, _ := strings.Cut(key, "-")
	return file
}

func (s *shelf) removal() vectors.Removal[string] {
	return vectors.Removal[string]{
		Find: func(_ context.Context, files []string) (found []string, err error) {
			for _, key := range s.keys {
				if slices.Contains(files, fileOf(key)) && len(found) < 2 {
					found = append(found, key)
				}
			}
			return found, nil
		},
		Key: func(key string) string { return key }, Subject: fileOf,
		Delete: func(_ context.Context, keys []string) (int64, error) {
			s.requests = append(s.requests, keys)
			if !s.deaf {
				s.keys = slices.DeleteFunc(s.keys, func(key string) bool { return slices.Contains(keys, key) })
			}
			return int64(len(keys)), nil
		},
		Disobeyed: func(key string) error { return errors.New("still has " + key) },
	}
}

// What may not go stays, and hides nothing that may; what was found goes by its keys, as
// many at once as the store takes.
func TestRemovalLooksUntilNothingMayGo(t *testing.T) {
	t.Parallel()
	for name, atOnce := range map[string]func() int{"all": nil, "one": func() int { return 1 }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{keys: []string{"kept-1", "kept-2", "kept-3", "a-1", "other-1", "b-1", "a-2", "late-1", "late-2", "late-3"}}
			r := s.removal()
			r.AtOnce = atOnce
			asked := map[string]int{}
			var removed vectors.Removed
			err := r.Run(t.Context(), []string{"a", "kept", "b", "late", "absent"}, func(_ context.Context, files []string) (may []string, err error) {
				for _, file := range files {
					if asked[file]++; file != "kept" && (file != "late" || asked[file] == 1) {
						may = append(may, file)
					}
				}
				return may, nil
			}, &removed)
			require.NoError(t, err)
			require.Subset(t, s.keys, []string{"kept-1", "kept-2", "kept-3", "other-1", "late-3"})
			require.NotContains(t, strings.Join(s.keys, " "), "a-")
			require.NotContains(t, strings.Join(s.keys, " "), "b-")
			require.Equal(t, 1, asked["kept"], "it is not looked for again")
			require.EqualValues(t, 10-len(s.keys), removed.Chunks)
			if atOnce != nil {
				require.Len(t, s.requests, int(removed.Chunks))
			}
		})
	}
}

func TestRemovalBelievesNobody(t *testing.T) {
	t.Parallel()
	s := &shelf{keys: []string{"a-1", "a-2"}, deaf: true}
	var removed vectors.Removed
	require.EqualError(t, s.removal().Run(t.Context(), []string{"a"}, vectors.AllowAll, &removed), "still has a-1")
	require.Len(t, s.requests, 1)
	failure := errors.New("the database does not answer")
	err := s.removal().Run(t.Context(), []string{"a"}, func(context.Context, []string) ([]string, error) { return nil, failure }, &removed)
	require.ErrorIs(t, err, failure)
	require.Len(t, s.requests, 1)
}

// Places are worked on at one time; who guards them is asked by one after the other.
func TestRemoveFromEachAsksOneByOne(t *testing.T) {
	t.Parallel()
	places := make([]int, 500)
	inside, together := 0, make(chan struct{})
	guard := func(_ context.Context, ids []string) ([]string, error) {
		inside++
		runtime.Gosched()
		defer func() { inside-- }()
		if inside != 1 {
			return nil, errors.New("somebody else asks")
		}
		return ids, nil
	}
	var removed vectors.Removed
	err := vectors.RemoveFromEach(t.Context(), places, 2, guard, &removed, func(ctx context.Context, _ int, guard vectors.Guard, removed *vectors.Removed) error {
		select { // two are here at one time
		case together <- struct{}{}:
		case <-together:
		}
		_, err := guard(ctx, []string{"a"})
		removed.Chunks++
		return err
	})
	require.NoError(t, err)
	require.EqualValues(t, len(places), removed.Chunks)
}
