package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"pruned/repo/testenv"
)

type compatCmd struct {
	Release []string `help:"Only these; 0.6.43,0.12.4 is a database of the first that the second has brought to its schema." sep:"none"`
}

// compatTests are those that say whether a release is supported, and where they are.
const compatTests = "^(TestSuite|TestEmbeddedSuite|TestServerSuite|TestWorldOnPostgreSQL|TestWorldOnSQLite)$"

var compatPackages = []string{"pruned/repo/postgres", "pruned/repo/sqlite", "pruned/vectors/chroma", "pruned/cmd/pruned"}

// Run prints a table, and fails where any release does.
func (c *compatCmd) Run(ctx context.Context, _ *lab) error {
	if len(c.Release) == 0 {
		c.Release = allReleases()
	}
	fmt.Println("| Open WebUI | its schema | ways to use a file | cases that passed (left out): PostgreSQL | SQLite | Chroma |")
	fmt.Println("|---|---|---|---|---|---|")
	var failed []error
	for _, release := range c.Release {
		row, err := testRelease(ctx, release)
		if err != nil {
			failed = append(failed, fmt.Errorf("release %s: %w", release, err))
			continue
		}
		fmt.Println(row)
	}
	return errors.Join(failed...)
}

// allReleases are those that the tests know, and a database that began with the first and was
// brought to each of the others.
func allReleases() (list []string) {
	for _, r := range testenv.Releases {
		list = append(list, r.Version)
	}
	return append(list, strings.Join(list, ","))
}

// outcome is what the tests of one release said.
type outcome struct {
	passed, skipped map[string]int // cases, by package
	failed          []string
	said            map[string]string // attributes of tests
}

func testRelease(ctx context.Context, release string) (row string, err error) {
	args := append([]string{"test", "-json", "-count=1", "-timeout=20m", "-run", compatTests}, compatPackages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "PRUNED_TEST_OPENWEBUI="+release)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	o := readTests(out)
	if err != nil || len(o.failed) > 0 {
		return "", fmt.Errorf("%w: %s failed\n%s", err, strings.Join(o.failed, ", "), errs.Bytes())
	}
	return o.row(release), nil
}

// readTests reads what go test -json prints. The cases of a suite are tests below it.
func readTests(out []byte) outcome {
	o := outcome{map[string]int{}, map[string]int{}, nil, map[string]string{}}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var line struct{ Action, Package, Test, Key, Value string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // no line of a test, as where a build failed
		}
		isCase := strings.Contains(line.Test, "Suite/")
		switch {
		case line.Action == "attr":
			o.said[line.Key] = line.Value
		case line.Action == "fail":
			o.failed = append(o.failed, line.Package+" "+line.Test)
		case line.Action == "pass" && isCase:
			o.passed[line.Package]++
		case line.Action == "skip" && isCase:
			o.skipped[line.Package]++
		}
	}
	return o
}

func (o outcome) row(release string) string {
	cells := []string{compatName(release), strings.TrimPrefix(o.said["revision"], "Open WebUI's schema is at "), o.said["uses"]}
	for _, name := range compatPackages[:3] {
		cell := fmt.Sprint(o.passed[name])
		if o.skipped[name] > 0 {
			cell += fmt.Sprintf(" (%d)", o.skipped[name])
		}
		cells = append(cells, cell)
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// compatName names a release, or a database that has been through several.
func compatName(release string) string {
	steps := strings.Split(release, ",")
	if len(steps) == 1 {
		return release
	}
	return fmt.Sprintf("%s, made by %s", steps[len(steps)-1], steps[0])
}
