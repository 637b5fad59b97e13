package page

import (
	"net/url"
	"strconv"
)

const (
	pageLength = 50      // how many lines a view shows
	maxPage    = 1 << 20 // more than there are of any list
)

// pager leads through the pages of a list.
type pager struct {
	Page, Pages    int64
	Previous, Next string // links; empty where there is none
}

// pageOf is which page a link asks for, from 1.
func pageOf(query url.Values) int {
	n, _ := strconv.Atoi(query.Get("page")) // zero where it is no number
	return min(max(n, 1), maxPage)
}

func newPager(path string, query url.Values, page int, total int64) pager {
	p := pager{Page: int64(page), Pages: (total + pageLength - 1) / pageLength}
	if p.Page > 1 {
		p.Previous = withValue(path, query, "page", strconv.FormatInt(min(p.Page-1, max(p.Pages, 1)), 10))
	}
	if p.Page < p.Pages {
		p.Next = withValue(path, query, "page", strconv.FormatInt(p.Page+1, 10))
	}
	return p
}

// withValue is a link with one value changed.
func withValue(path string, query url.Values, name, value string) string {
	changed := url.Values{}
	for key, values := range query {
		if key != name && len(values) > 0 && values[0] != "" {
			changed.Set(key, values[0])
		}
	}
	if value != "" {
		changed.Set(name, value)
	}
	if len(changed) == 0 {
		return path
	}
	return path + "?" + changed.Encode()
}
