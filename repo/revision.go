package repo

import (
	"slices"
	"strings"

	"pruned/repo/openwebui"
)

// CheckRevision tells whether this pruned was made knowing that revision of
// Open WebUI's schema. One that it does not know is no failure: what mentions a
// file is found in tables that nobody knows, too.
func CheckRevision(revision string) Finding {
	f := Finding{Check: "revision", OK: true, Detail: "Open WebUI's schema is at " + revision}
	switch {
	case revision == "":
		return Finding{Check: "revision", Detail: "table alembic_version is empty: Open WebUI's migrations have not run to their end", Remedy: "start Open WebUI once"}
	case slices.Contains(openwebui.Revisions, revision):
		f.Detail += ", which is known"
		if lacking := openwebui.FindLacking(revision); len(lacking) > 0 {
			f.Detail += "; it has no " + strings.Join(lacking, "; no ")
		}
	default:
		f.Detail += ", which is newer than this pruned knows (" + openwebui.Revisions[len(openwebui.Revisions)-1] + ")"
		f.Remedy = "look for a newer pruned; mentions in new tables and columns count all the same"
	}
	return f
}
