package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// build tells which program this is.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`   // empty where it was not built from a checkout
	Modified bool   `json:"modified"` // the checkout had changes that are no part of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// readBuild reads what the linker and the compiler left in the program.
func readBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// Run prints which program this is.
func (versionCmd) Run(ctx *runContext) error {
	b := readBuild()
	if ctx.isJSON() {
		return ctx.printObject(b)
	}
	commit := b.Commit
	switch {
	case commit == "":
		commit = "unknown: it was not built from a checkout"
	case b.Modified:
		commit += ", with changes"
	}
	return ctx.printTable(func(line func(...any)) {
		line("version", b.Version)
		line("commit", commit)
		line("go", fmt.Sprintf("%s, %s", b.Go, b.Platform))
	})
}
