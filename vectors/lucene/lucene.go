// Package lucene asks servers that keep documents in indexes of Lucene, OpenSearch and
// Elasticsearch, which are asked alike.
//
// Its central idea is that a search sees what the last refresh saw, and a filter does not find
// every value: indexes are refreshed before a look that decides, an answer of only a part of an
// index is none, and what was found is compared by the documents themselves. Which indexes are
// the application's, and what lies in one, is for the stores to know. Facts were seen on
// OpenSearch 2.19.6 and 3.8.0.
package lucene

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"pruned/vectors/apart"
	"pruned/vectors/rest"
)

// What the application calls the fields of a document.
const (
	CollectionField = "collection" // Elasticsearch's alone
	FileField       = metaField + "." + fileKey

	metaField = "metadata"
	fileKey   = "file_id"
	makerKey  = "created_by"
)

// Index is one of the server's, by a name that it listed: never a pattern.
type Index interface {
	apart.Place
	// Filters let at least through what is meant; none, all.
	Filters(q apart.Question) []Filter
}

// Server is all of an apart.Server but for its list.
type Server[I Index] struct{ *rest.Client }

// path is of a request about an index.
func path(of Index, action string) string { return url.PathEscape(of.Name()) + action }

// IsMissing says that an index is not there, by the server's own word for it.
func IsMissing(err error) bool {
	var refusal *rest.RefusalError
	if !errors.As(err, &refusal) || refusal.Status != http.StatusNotFound {
		return false
	}
	var said struct{ Error struct{ Type string } }
	return json.Unmarshal(refusal.Body, &said) == nil && said.Error.Type == "index_not_found_exception"
}
