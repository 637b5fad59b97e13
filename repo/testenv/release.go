package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// releaseVariable has the tests run on the schema of another release of Open WebUI, such as
// 0.6.43, or of one that was brought to others since: 0.6.43,0.12.4.
const releaseVariable = "PRUNED_TEST_OPENWEBUI"

// Releases are those that can be asked for, oldest first, with the Chroma that each brings.
var Releases = []struct{ Version, Chroma string }{
	{"0.6.43", "1.3.7"}, {"0.7.2", "1.4.0"}, {"0.8.12", "1.5.2"}, {"0.9.6", "1.5.2"},
	{"0.10.2", "1.5.9"}, {"0.11.4", "1.5.9"}, {"0.12.4", chromaVersion},
}

// The first of them migrate by these as well.
const (
	peeweeVersion        = "4.5.3"
	peeweeMigrateVersion = "2.3.0"
)

// Release is what was asked for; empty for the schema that every other test has.
func Release() string { return os.Getenv(releaseVariable) }

// releaseSteps are the releases that a database goes through; none where no release is asked for.
func releaseSteps() ([]string, error) {
	if Release() == "" {
		return nil, nil
	}
	steps := strings.Split(Release(), ",")
	for _, step := range steps {
		if !slices.ContainsFunc(Releases, func(r struct{ Version, Chroma string }) bool { return r.Version == step }) {
			return nil, fmt.Errorf("%s is %q: no release %q is known", releaseVariable, Release(), step)
		}
	}
	return steps, nil
}

// schemaRecipe is what the newest schema of the tests depends on, for the names of cached folders.
func schemaRecipe() []byte {
	if Release() == "" {
		return nil
	}
	return []byte(Release() + peeweeVersion + peeweeMigrateVersion)
}

// chromaOfRelease is the version of Chroma that goes with the schema.
func chromaOfRelease() string {
	for _, r := range Releases {
		if strings.HasSuffix(Release(), r.Version) {
			return r.Chroma
		}
	}
	return chromaVersion
}

// migrateTo brings an empty database to a revision. Head is that of the newest release, or of
// the one that was asked for, whose own migrations make it.
func migrateTo(ctx context.Context, python, url, revision, schema string) error {
	steps, err := releaseSteps()
	if err != nil {
		return err
	}
	if len(steps) == 0 || revision != Head {
		return runMigrations(ctx, python, url, revision, schema)
	}
	for _, release := range steps {
		if err := migrateAs(ctx, python, release, url, schema); err != nil {
			return err
		}
	}
	return nil
}

// MigrateAs does to a database what a release of Open WebUI does at its start, whether the
// tests know it or not, and beside whoever uses the database.
func MigrateAs(ctx context.Context, release, url string) error {
	python, err := python(ctx)
	if err != nil {
		return err
	}
	return migrateAs(ctx, python, release, url, "")
}

func migrateAs(ctx context.Context, python, release, url, schema string) error {
	dir, err := releasePackage(ctx, python, release)
	if err == nil {
		err = migrateAsStarted(ctx, python, dir, url, schema)
	}
	if err != nil {
		return fmt.Errorf("migrate as Open WebUI %s: %w", release, err)
	}
	return nil
}

// releasePackage is a folder with the Python of a release, and without its front end, which is
// nearly all of it. What it imports is that of the newest: for its migrations that is enough.
func releasePackage(ctx context.Context, python, release string) (string, error) {
	name := "openwebui-" + release + "-" + digest([]byte(peeweeVersion+peeweeMigrateVersion))
	return Cached(ctx, name, func(ctx context.Context, dir string) error {
		err := pip(ctx, python, "--no-deps", "--no-compile", "--target", dir,
			"open-webui=="+release, "peewee=="+peeweeVersion, "peewee-migrate=="+peeweeMigrateVersion)
		if err != nil {
			return err
		}
		return errors.Join(
			os.RemoveAll(filepath.Join(dir, "open_webui", "frontend")),
			os.RemoveAll(filepath.Join(dir, "open_webui", "static")))
	})
}

// migrateAsStarted has a release do to a database what it does at its start. The address of
// vectors is never used: some refuse a database that is no PostgreSQL without one.
func migrateAsStarted(ctx context.Context, python, dir, url, schema string) error {
	return runApplication(ctx, python, []string{"-c", "import open_webui.config"}, "PYTHONPATH="+dir,
		"VECTOR_DB=pgvector", "PGVECTOR_DB_URL=postgresql://none", "DATABASE_URL="+url, "DATABASE_SCHEMA="+schema)
}
