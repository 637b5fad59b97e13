package page

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"pruned/consumer/sweep"
	"pruned/repo"
)

// unused is what nothing uses, by why, and a page of it.
type unused struct {
	Groups  []unusedGroup
	Filter  repo.UnusedFilter
	Sorts   []string
	Total   int64
	Lines   []unusedLine
	Pager   pager
	Exports struct{ CSV, JSON string }
	Command string
	Keeping keepChoice
	Keep    bool // something on this page can be kept
}

// unusedGroup is one reason, with how much there is of it.
type unusedGroup struct {
	repo.CandidateSum
	Link    string
	Current bool
}

// unusedLine is one of them with why nothing uses it.
type unusedLine struct {
	repo.Unused
	Reason   string
	Keepable bool // it has a row, and nobody keeps it
	Shown    bool // it can be asked for how it begins
}

// unusedFilter is what a link asks for.
func unusedFilter(query url.Values) (f repo.UnusedFilter, err error) {
	f = repo.UnusedFilter{
		Direction: repo.Direction(query.Get("direction")), Text: strings.TrimSpace(query.Get("text")), User: strings.TrimSpace(query.Get("user")),
		Sort: query.Get("sort"), Limit: pageLength, Offset: (pageOf(query) - 1) * pageLength,
	}
	if f.Sort == "" {
		f.Sort = repo.UnusedSorts[0]
	}
	if !slices.Contains(repo.UnusedSorts, f.Sort) {
		return f, requestError{fmt.Errorf("sort: %q is not known: wanted one of %s", f.Sort, strings.Join(repo.UnusedSorts, ", "))}
	}
	return f, nil
}

func readUnused(ctx context.Context, _ *Page, open *Open, r *http.Request) (any, error) {
	query := r.URL.Query()
	filter, err := unusedFilter(query)
	if err != nil {
		return nil, err
	}
	u := &unused{Filter: filter, Sorts: repo.UnusedSorts, Command: "pruned sweep --dry-run --sort " + map[bool]string{true: filter.Sort, false: "size"}[slices.Contains(repo.UnusedSorts[:3], filter.Sort)]}
	sums, err := open.DB.SumCandidates(ctx)
	if err != nil {
		return nil, err
	}
	unpaged := withoutPage(query)
	for _, sum := range sums {
		u.Groups = append(u.Groups, unusedGroup{sum, withValue("/unused", unpaged, "direction", string(sum.Direction)), sum.Direction == filter.Direction})
	}
	lines, total, err := open.DB.ListUnused(ctx, open.Ages, filter)
	if err != nil {
		return nil, err
	}
	u.Total, u.Pager = total, newPager("/unused", query, pageOf(query), total)
	u.Exports.CSV, u.Exports.JSON = withValue("/unused.csv", unpaged, "page", ""), withValue("/unused.json", unpaged, "page", "")
	u.Lines, err = withReasons(ctx, open, lines)
	u.Keeping = keepChoice{"Keep what is ticked", "ID…"}
	u.Keep = slices.ContainsFunc(u.Lines, func(l unusedLine) bool { return l.Keepable })
	return u, err
}

func withoutPage(query url.Values) url.Values {
	changed := url.Values{}
	for key, values := range query {
		if key != "page" {
			changed[key] = values
		}
	}
	return changed
}

// withReasons tells why nothing uses each of a page.
func withReasons(ctx context.Context, open *Open, page []repo.Unused) (lines []unusedLine, err error) {
	var rows []string
	for _, u := range page {
		if u.Direction == repo.FromRows {
			rows = append(rows, u.FileID)
		}
	}
	labels, err := open.DB.LabelFiles(ctx, rows)
	if err != nil {
		return nil, err
	}
	kept, err := keepsOf(ctx, open, rows)
	for _, u := range page {
		_, isKept := kept[u.FileID]
		line := unusedLine{u, "its row is gone", u.Direction == repo.FromRows && !isKept, hasPreview(u.Direction) && !isKept}
		switch {
		case u.Direction == repo.FromRows && isKept:
			line.Reason = "it is kept: the next sweep leaves it out"
		case u.Direction == repo.FromRows && labels[u.FileID].Status == "failed":
			line.Reason = "its processing failed"
		case u.Direction == repo.FromRows:
			line.Reason = "nothing mentions it"
		case u.Direction != repo.FromVectors && u.Direction != repo.FromBytes:
			line.Reason = sweep.DescribeFound(u.Direction)
		}
		lines = append(lines, line)
	}
	return lines, err
}
