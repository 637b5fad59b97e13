package vectors

import "slices"

// FilesAtOnce bounds a question about several files, collections or points.
const FilesAtOnce = 1000

// Portions are as many of those that can be there as one question takes, and the next; where
// none is named, one without any.
func Portions(list []string, can func(string) bool) [][]string {
	if len(list) == 0 {
		return [][]string{nil}
	}
	return slices.Collect(slices.Chunk(Distinct(list, can), FilesAtOnce))
}

// Distinct leaves out what comes again, and what cannot be there.
func Distinct(list []string, can func(string) bool) (values []string) {
	seen := map[string]bool{}
	for _, one := range list {
		if !seen[one] && can(one) {
			seen[one] = true
			values = append(values, one)
		}
	}
	return values
}

// Set is what is on a list.
func Set(list []string) map[string]bool {
	values := make(map[string]bool, len(list))
	for _, one := range list {
		values[one] = true
	}
	return values
}
