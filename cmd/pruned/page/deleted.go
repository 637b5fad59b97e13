package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pruned/consumer/restore"
	"pruned/consumer/sweep"
	"pruned/repo"
	"pruned/repo/openwebui"
)

// deleted is what was deleted, newest first, and what of it can be restored.
type deleted struct {
	Text, User, Outcome, Since string
	Outcomes, Sinces           []string

	Total int64
	Lines []deletedLine
	Pager pager
	Trash repo.TrashSum
	Back  bool // something on this page can be restored
}

// deletedLine is a line of the ledger, or an entry of the trash where that is asked for.
type deletedLine struct {
	repo.Entry
	Name    string
	Trashed *repo.Trashed // nil: it cannot be restored
}

var (
	outcomes = []string{"deleted", "gone", restore.Outcome, "confirmed", "keep", "keep ended", "redriven", "purged", "emptied"}
	sinces   = []string{"1h", "24h", "168h", "720h"}
)

func readDeleted(ctx context.Context, _ *Page, open *Open, r *http.Request) (any, error) {
	query := r.URL.Query()
	d := &deleted{Text: strings.TrimSpace(query.Get("text")), User: strings.TrimSpace(query.Get("user")), Outcome: query.Get("outcome"), Since: query.Get("since"),
		Outcomes: outcomes, Sinces: sinces}
	filter := repo.LedgerFilter{Text: d.Text, User: d.User, Outcome: d.Outcome, Limit: pageLength, Offset: (pageOf(query) - 1) * pageLength}
	if d.Since != "" {
		ago, err := time.ParseDuration(d.Since)
		if err != nil {
			return nil, requestError{fmt.Errorf("since: %q is no duration: wanted one such as 24h", d.Since)}
		}
		filter.Since = time.Now().Add(-ago)
	}
	var err error
	if d.Trash, err = open.DB.SumTrash(ctx); err != nil {
		return nil, err
	}
	entries, total, err := open.DB.ListLedger(ctx, filter)
	if err != nil {
		return nil, err
	}
	d.Total, d.Pager = total, newPager("/deleted", query, pageOf(query), total)
	return d, d.addEntries(ctx, open, entries)
}

// addEntries finds out which of a page are in the trash.
func (d *deleted) addEntries(ctx context.Context, open *Open, entries []repo.Entry) error {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.FileID)
	}
	trashed := map[string]repo.Trashed{}
	if len(ids) > 0 {
		list, err := open.DB.ListTrash(ctx, repo.TrashFilter{IDs: ids})
		if err != nil {
			return err
		}
		for _, t := range list {
			trashed[t.FileID] = t
		}
	}
	for _, e := range entries {
		line := deletedLine{Entry: e, Name: objectTitle(e.Path)}
		if t, is := trashed[e.FileID]; is && e.Outcome == "deleted" && !e.At.Before(t.At.Add(-time.Minute)) {
			line.Trashed, line.Name, d.Back = &t, t.Filename, true
			delete(trashed, e.FileID) // older lines are about what was restored since
		}
		d.Lines = append(d.Lines, line)
	}
	return nil
}

// objectTitle is the name that an object was uploaded under: the application puts the id
// of its file before it.
func objectTitle(path string) string {
	name := openwebui.BaseName(path)
	return strings.TrimPrefix(strings.TrimPrefix(name, openwebui.ObjectFile(name)), "_")
}

var errNothingTicked = errors.New("nothing was ticked: wanted one file at least")

// restoreFiles takes files back from the trash, as the command does.
func restoreFiles(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	ids := r.PostForm["id"]
	if len(ids) == 0 {
		return "", requestError{errNothingTicked}
	}
	restorer := &restore.Restorer{DB: open.DB, Blobs: open.Blobs, By: userOf(r)}
	var restored int
	var refused []string
	for _, id := range ids {
		result, err := restorer.Restore(ctx, id)
		switch {
		case err != nil:
			return "", fmt.Errorf("restoring file %s, after %d others: %w", id, restored, err)
		case result.Refused != "":
			refused = append(refused, result.Refused)
		default:
			restored++
		}
	}
	text := sweep.FormatCount(int64(restored), "files restored, without vectors: Open WebUI makes those when a file is added to a knowledge base.")
	if len(refused) > 0 {
		slices.Sort(refused)
		text += describeRefused(len(refused), slices.Compact(refused))
	}
	return text, nil
}

// describeRefused tells how many files were refused, and why.
func describeRefused(n int, why []string) string {
	return " " + sweep.FormatCount(int64(n), "files were refused: ") + strings.Join(why, "; ") + "."
}

// emptyTrash lets go what can be restored, as the command does.
func emptyTrash(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	if strings.TrimSpace(r.PostForm.Get("typed")) != "empty" {
		return "", requestError{errNotTyped}
	}
	list, err := open.DB.ListTrash(ctx, repo.TrashFilter{})
	if err != nil {
		return "", err
	}
	for page := range slices.Chunk(list, emptyLength) {
		ids := make([]string, len(page))
		for i, t := range page {
			ids[i] = t.FileID
		}
		if err := open.DB.EmptyTrash(ctx, ids, open.BytesDelay); err != nil {
			return "", err
		}
	}
	text := sweep.FormatCount(int64(len(list)), "files left the trash")
	return text + ": their bytes go now.", record(ctx, open, r, "emptied", "", text)
}

// emptyLength is how many leave the trash in one transaction.
const emptyLength = 500

// fileLink is the page of one file.
func fileLink(id string) string { return "/file?id=" + url.QueryEscape(id) }
