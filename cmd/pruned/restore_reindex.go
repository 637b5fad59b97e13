package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pruned/config"
	"pruned/consumer/reindex"
	"pruned/consumer/restore"
)

// What became of a file's vectors; else why there are none.
const (
	vectorsMade = "made"
	vectorsNone = "none, since it has no text"
)

var errNotReindexed = errors.New("not all vectors were made")

// checkReindex asks for what --reindex needs before anything is restored.
func (r *restoreCmd) checkReindex(api config.OpenWebUI) error {
	var missing []string
	if api.URL == "" {
		missing = append(missing, "OPEN_WEBUI_URL, such as http://open-webui:8080")
	}
	if api.Token == "" {
		missing = append(missing, "OPEN_WEBUI_TOKEN (or _FILE), an administrator's token or API key")
	}
	if !r.Reindex || len(missing) == 0 {
		return nil
	}
	return &config.UsageError{Err: fmt.Errorf("--reindex asks Open WebUI for vectors: wanted %s", strings.Join(missing, ", and "))}
}

// reindexFiles has Open WebUI make the vectors of what is restored. One that fails keeps no
// other waiting; an interrupt leaves the rest without a word about their vectors.
func (c *command) reindexFiles(ctx context.Context, report *restoreReport) error {
	client, err := reindex.New(c.cli.OpenWebUI.URL, string(c.cli.OpenWebUI.Token))
	if err != nil {
		return err
	}
	defer client.Close()
	bar := c.progressBar("reindexing")
	defer func() { _ = bar.Exit() }()
	for i := range report.Files {
		file := &report.Files[i]
		if file.Refused != "" {
			continue
		}
		err := client.Reindex(ctx, file.FileID)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, reindex.ErrNoText):
			file.Vectors = vectorsNone
		case err != nil:
			file.Vectors = err.Error()
			report.NotReindexed++
		default:
			file.Vectors = vectorsMade
			report.Reindexed++
		}
		_ = bar.Add(1)
	}
	return nil
}

// wasRestored says whether a file that is not in the trash came back from it, by the last
// that the ledger tells of it: then its vectors can be asked for again.
func (a *app) wasRestored(ctx context.Context, id string) (was bool, err error) {
	for entry, err := range a.db.ReadLedger(ctx, id) {
		if err != nil {
			return false, err
		}
		was = entry.Outcome == restore.Outcome
	}
	return was, nil
}
