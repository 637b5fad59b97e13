package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// checkUnknown refuses variables that look like ours and are not: a misspelt
// age or limit must not be taken for its default.
func (e *environment) checkUnknown() {
	for name, value := range e.values {
		if strings.HasPrefix(name, "PRUNED_") && !slices.Contains(e.known, name) && !isInjected(name, value) {
			e.problems.add(name, "is not a setting: wanted one that is, such as %s", nearest(name, e.known))
		}
	}
	slices.SortFunc(e.problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
}

// ofServices are the variables that Kubernetes makes for services called pruned or
// pruned-something, but for one whose name somebody may think of as well.
var ofServices = regexp.MustCompile(`^PRUNED_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// isInjected says whether Kubernetes made a variable.
func isInjected(name, value string) bool {
	return ofServices.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

func nearest(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(levenshtein.ComputeDistance(name, a), levenshtein.ComputeDistance(name, b))
	})
}
