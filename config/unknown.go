package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// checkUnknown refuses variables that look like ours and are not: a misspelt
// age or limit must not be taken for its default.
func (e *environment) checkUnknown() {
	for name := range e.values {
		if strings.HasPrefix(name, "PRUNED_") && !slices.Contains(e.known, name) && !isInjected(name) {
			e.problems.add(name, "is not a setting: wanted one that is, such as %s", nearest(name, e.known))
		}
	}
	slices.SortFunc(e.problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
}

// isInjected says whether Kubernetes makes this variable for a service called
// pruned.
func isInjected(name string) bool {
	return name == "PRUNED_PORT" || strings.HasPrefix(name, "PRUNED_PORT_") || strings.HasPrefix(name, "PRUNED_SERVICE_")
}

func nearest(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(levenshtein.ComputeDistance(name, a), levenshtein.ComputeDistance(name, b))
	})
}
