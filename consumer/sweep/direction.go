package sweep

import "pruned/repo"

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
