package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"pruned/repo"
)

// bar is a progress bar on stderr, or nothing where that is no terminal.
func (c *command) bar(what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(isTerminal(c.stderr) && !c.json()),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("files"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// tableProgress shows a full pass, a table at a time.
func tableProgress(bar *progressbar.ProgressBar) repo.Progress {
	stage := stageProgress(bar)
	return func(table string, done, estimate int64) { stage("indexing "+table, done, estimate) }
}

// stageProgress shows how far a stage is; a total of zero is unknown.
func stageProgress(bar *progressbar.ProgressBar) func(stage string, done, total int64) {
	return func(stage string, done, total int64) {
		bar.Describe(stage)
		if total <= 0 {
			total = -1
		}
		bar.ChangeMax64(total)
		_ = bar.Set64(done)
	}
}
