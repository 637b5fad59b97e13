package sweep

import (
	"strings"

	"github.com/dustin/go-humanize"

	"pruned/repo"
)

// Directions are all in which a sweep can find something, and be held.
var Directions = []repo.Direction{repo.FromRows, repo.FromVectors, repo.FromBytes, repo.FromCollections, repo.FromPoints, repo.FromFolders, repo.FromDangling}

// DescribeFound says what a sweep finds in a direction, in the plural, such as "files that
// nothing mentions".
func DescribeFound(d repo.Direction) string {
	switch d {
	case repo.FromRows:
		return "files that nothing mentions"
	case repo.FromVectors:
		return "files without a row, but with vectors"
	case repo.FromBytes:
		return "files without a row, but with bytes"
	case repo.FromCollections:
		return "collections that nothing uses"
	case repo.FromPoints:
		return "points that nothing uses"
	case repo.FromFolders:
		return "folders of dropped collections"
	case repo.FromDangling:
		return "rows that nothing in Open WebUI can reach"
	}
	return string(d)
}

// singularVerbs are the verbs that may follow what is counted.
var singularVerbs = map[string]string{"go": "goes", "are": "is", "were": "was"}

// FormatCount writes how many there are of what a plural names, such as "files that nothing
// mentions" or "files go now": of one in the singular.
func FormatCount(n int64, plural string) string {
	words := strings.Split(plural, " ")
	if n == 1 {
		words[0] = strings.TrimSuffix(words[0], "s")
		if len(words) > 1 && singularVerbs[words[1]] != "" {
			words[1] = singularVerbs[words[1]]
		}
	}
	return humanize.Comma(n) + " " + strings.Join(words, " ")
}
