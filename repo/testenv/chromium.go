package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Versions of the browser's build, which brings the libraries that a bare machine lacks,
// and of the rules that a page is checked by.
const (
	chromiumVersion = "147.0.0"
	axeVersion      = "4.14.1"
)

// unpackChromium takes a folder of the package's files and one to unpack them to: they are
// compressed by brotli, which Node.js has.
const unpackChromium = `
const fs = require("fs"), path = require("path"), zlib = require("zlib");
const [from, to] = process.argv.slice(-2);
for (const name of ["chromium.br", "al2023.tar.br", "fonts.tar.br"])
  fs.writeFileSync(path.join(to, name.slice(0, -3)), zlib.brotliDecompressSync(fs.readFileSync(path.join(from, name))));`

// fontsConf has the browser write with the font that its package brings, whatever fonts a
// machine has.
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`

// Chromium is a browser without a window.
type Chromium struct {
	Program string
	Env     []string // beside the environment of this process
	Axe     string   // a script with axe-core, which checks what a page shows
}

// OpenChromium installs one, once on a machine.
func OpenChromium(ctx context.Context) (Chromium, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return Chromium{}, fmt.Errorf("there is no build of Chromium to install for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	recipe := digest([]byte(chromiumVersion), []byte(axeVersion), []byte(unpackChromium), []byte(fontsConf))
	dir, err := Cached(ctx, "chromium-"+recipe, func(ctx context.Context, dir string) error {
		python, err := python(ctx)
		if err != nil {
			return err
		}
		return withNode(ctx, python, func(n node) error { return installChromium(ctx, n, python, dir) })
	})
	return Chromium{
		Program: filepath.Join(dir, "chromium"), Axe: filepath.Join(dir, "axe.min.js"),
		Env: []string{"LD_LIBRARY_PATH=" + filepath.Join(dir, "lib"), "FONTCONFIG_FILE=" + filepath.Join(dir, "fonts.conf")},
	}, err
}

func installChromium(ctx context.Context, n node, python, dir string) error {
	modules := filepath.Join(dir, "node_modules")
	if err := n.install(ctx, dir, "@sparticuz/chromium@"+chromiumVersion, "axe-core@"+axeVersion); err != nil {
		return err
	}
	if err := n.run(ctx, "node", "-e", unpackChromium, filepath.Join(modules, "@sparticuz", "chromium", "bin"), dir); err != nil {
		return err
	}
	for _, archive := range []string{"al2023.tar", "fonts.tar"} {
		path := filepath.Join(dir, archive)
		if err := (command{program: python, args: []string{"-m", "tarfile", "-e", path, dir}}).run(ctx); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return errors.Join(
		copyMatching(filepath.Join(modules, "axe-core", "axe.min.js"), dir),
		os.WriteFile(filepath.Join(dir, "fonts.conf"), []byte(fontsConf), 0o644),
		os.Chmod(filepath.Join(dir, "chromium"), 0o755),
		os.RemoveAll(modules),
		makeReadable(dir),
	)
}
