package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// olderVariable has the tests run on an older PostgreSQL, by its major version.
const olderVariable = "PRUNED_TEST_POSTGRES"

// olderBuilds are those that there are. They hold no pgvector, and of PostgreSQL's
// programs only the server's own.
var olderBuilds = map[string]string{
	"14": "14.23.0-beta.17", "15": "15.18.0-beta.17", "16": "16.14.0-beta.17", "17": "17.10.0-beta.17",
}

// olderBuild is the one that is asked for; empty for the newest PostgreSQL.
func olderBuild() (string, error) {
	major := os.Getenv(olderVariable)
	if major == "" {
		return "", nil
	}
	build, ok := olderBuilds[major]
	if !ok {
		return "", fmt.Errorf("%s is %q and not one of %s", olderVariable, major, strings.Join(slices.Sorted(maps.Keys(olderBuilds)), ", "))
	}
	return build, nil
}

// NeedsNewest leaves a test out where an older PostgreSQL is asked for, which lacks
// something.
func NeedsNewest(t testing.TB, lacking string) {
	t.Helper()
	if major := os.Getenv(olderVariable); major != "" {
		LeaveOut(t, "PostgreSQL "+major+" lacks it here: "+lacking)
	}
}

// olderPostgres is the folder that such a build is installed in.
func olderPostgres(ctx context.Context, build string) (string, error) {
	dir, err := Cached(ctx, "postgres-"+build, func(ctx context.Context, dir string) error {
		python, err := python(ctx)
		if err != nil {
			return err
		}
		native, err := npmBuild(ctx, python, build, dir)
		if err != nil {
			return err
		}
		return errors.Join(linkLibraries(native), makeReadable(dir))
	})
	if err != nil {
		return "", err
	}
	return nativeIn(dir)
}

// linkLibraries makes the links that a package of npm cannot hold.
func linkLibraries(native string) error {
	text, err := os.ReadFile(filepath.Join(native, "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string } // both in the package, which is around native
	if err := json.Unmarshal(text, &links); err != nil {
		return err
	}
	for _, link := range links {
		if err := os.Symlink(filepath.Base(link.Source), filepath.Join(filepath.Dir(native), link.Target)); err != nil {
			return err
		}
	}
	return nil
}
