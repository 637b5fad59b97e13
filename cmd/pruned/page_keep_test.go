package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// Files are kept from where they are seen, listed, and kept no more; the ledger says by
// whom.
func TestPageKeeps(t *testing.T) {
	t.Parallel()
	onPageSites(t, 60, 40, func(t *testing.T, s *pageSite) {
		v := visit(t, s.start(t))
		v.signIn(t, "Ann")
		v.shows(t, "/held", "Held under")
		require.Contains(t, v.see(t, "/kept"), "None.")
		for _, form := range []url.Values{{}, {"id": s.used[:1], "for": {"soon"}}, {"id": s.used[:1], "for": {"-1h"}}, {"id": s.used[:1], "note": {"a\x00b"}}, {"id": {"a\x00b"}}} {
			response, body := v.send(t, http.MethodPost, "/kept/add", form)
			require.Equal(t, http.StatusBadRequest, response.StatusCode, body)
		}
		require.Contains(t, v.see(t, "/unused?direction=row"), `name="id" value="`+s.orphans[0]+`"`)
		kept := v.act(t, "/kept/add", url.Values{"id": {s.orphans[0], "nobody", s.orphans[1]}, "for": {"2160h"}, "note": {" audit <of 2026> "}})
		require.Contains(t, kept, "2 files kept for 90d. 1 file was refused: nobody: it has no row")
		require.Contains(t, kept, "<td class=\"long\">audit &lt;of 2026&gt;</td>")
		require.Contains(t, kept, "2 kept, newest first")
		require.NotContains(t, v.see(t, "/unused?direction=row"), `name="id" value="`+s.orphans[0]+`"`)
		require.Contains(t, v.see(t, "/deleted?outcome=keep"), "kept for 90d: "+s.orphans[0]+", "+s.orphans[1]+", by Ann")

		require.Contains(t, v.see(t, "/file?id="+s.orphans[1]), "pruned keep remove "+s.orphans[1])
		require.Contains(t, v.see(t, "/file?id="+s.used[0]), "pruned keep "+s.used[0])
		require.NotContains(t, v.see(t, "/file?id=nobody"), "/kept/")
		require.Contains(t, v.act(t, "/kept/add", url.Values{"id": {s.used[0]}, "for": {""}}), "for ever</td>")
		require.Contains(t, v.act(t, "/kept/end", url.Values{"id": {s.orphans[0], "nobody"}}), "1 file is kept no more.")
		require.Contains(t, v.see(t, "/deleted?outcome=keep+ended"), "kept no more: "+s.orphans[0]+", by Ann")
		require.Contains(t, v.see(t, "/kept"), "2 kept, newest first")
		require.EqualValues(t, 60, s.count(t, `SELECT count(*) FROM file`))
	})
}
