package page

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pruned/repo"
)

const (
	// exportLength is how many lines are read at once: they are not kept.
	exportLength  = 5000
	exportTimeout = 5 * time.Minute // for each so many
)

// exported is a line of an export, with the names that `pruned sweep --dry-run` has.
type exported struct {
	FileID    string `json:"file_id"`
	Direction string `json:"direction"`
	Name      string `json:"name"`
	Owner     string `json:"owner"`
	OwnerName string `json:"owner_name"`
	Bytes     int64  `json:"bytes"`
	Age       int64  `json:"age_s"`
	DueIn     int64  `json:"due_in_s"`
	Held      bool   `json:"held"`
}

// eachUnused reads all that a link asks for, some at a time.
func eachUnused(p *Page, w http.ResponseWriter, r *http.Request, begin func(), yield func(exported) error) {
	filter, err := unusedFilter(r.URL.Query())
	var open *Open
	if err == nil {
		open, err = p.Open()
	}
	for filter.Offset, filter.Limit = 0, exportLength; err == nil; filter.Offset += exportLength {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTimeout)) // else it is the server's
		var page []repo.Unused
		if page, _, err = readExported(r.Context(), open, filter); err != nil {
			break
		}
		if filter.Offset == 0 {
			begin()
		}
		for _, u := range page {
			line := exported{u.FileID, string(u.Direction), u.Name, u.Owner, u.OwnerName, u.Size, int64(u.Age.Seconds()), int64(max(u.DueIn, 0).Seconds()), u.Held}
			if yield(line) != nil {
				return // nobody reads it any more
			}
		}
		if len(page) < exportLength {
			return
		}
	}
	if filter.Offset > 0 {
		p.Log.Warn().Err(err).Msg("an export of what is unused ended too soon")
		panic(http.ErrAbortHandler) // so that nobody takes it for the whole
	}
	http.Error(w, err.Error(), statusOf(err))
}

func readExported(ctx context.Context, open *Open, filter repo.UnusedFilter) ([]repo.Unused, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	return open.DB.ListUnused(ctx, open.Ages, filter)
}

func exportCSV(p *Page, w http.ResponseWriter, r *http.Request) {
	lines := csv.NewWriter(w)
	eachUnused(p, w, r, func() {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="unused.csv"`)
		_ = lines.Write([]string{"file_id", "direction", "name", "owner", "owner_name", "bytes", "age_s", "due_in_s", "held"}) // Error tells it
	}, func(e exported) error {
		return lines.Write([]string{plainCell(e.FileID), e.Direction, plainCell(e.Name), plainCell(e.Owner), plainCell(e.OwnerName),
			strconv.FormatInt(e.Bytes, 10), strconv.FormatInt(e.Age, 10), strconv.FormatInt(e.DueIn, 10), strconv.FormatBool(e.Held)})
	})
	lines.Flush()
}

// plainCell keeps spreadsheets from taking what a user wrote for a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func exportJSON(p *Page, w http.ResponseWriter, r *http.Request) {
	before := "["
	eachUnused(p, w, r, func() {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Disposition", `attachment; filename="unused.json"`)
	}, func(e exported) error {
		text, err := json.Marshal(e)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s%s", before, text)
		}
		before = ",\n"
		return err
	})
	if w.Header().Get("Content-Type") == "application/json" {
		if before == "[" {
			fmt.Fprint(w, before)
		}
		fmt.Fprint(w, "]\n")
	}
}
