package main

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is ticked goes, what is not stays held under the same id, and what was found after
// the view was shown stays as well.
func TestPageLetsGoWhatIsTicked(t *testing.T) {
	t.Parallel()
	onPageSites(t, 60, 40, func(t *testing.T, s *pageSite) {
		v := visit(t, s.start(t))
		v.signIn(t, "Ann")
		v.shows(t, "/held", "Held under")
		id, form := v.heldForm(t)
		require.Len(t, form["go"], 40)
		require.Equal(t, form["listed"], form["go"])
		early := maps.Clone(form)
		early["shown"] = []string{"row 2020-01-01T00:00:00Z"}
		response, body := v.send(t, http.MethodPost, "/held/confirm", early)
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, body, "it has changed since it was shown")
		kept := s.orphans[7]
		form["go"] = slices.DeleteFunc(form["go"], func(text string) bool { return text == "row "+kept })
		require.Contains(t, v.act(t, "/held/confirm", form), "39 files go now.")
		require.Eventually(t, func() bool { return s.count(t, `SELECT count(*) FROM file`) == 21 }, signalTimeout, 40*pollEvery)
		require.EqualValues(t, 1, s.count(t, `SELECT count(*) FROM file WHERE id = $1`, kept))
		require.Contains(t, v.see(t, "/deleted?outcome=confirmed"), "except "+kept+", by Ann")
		response, _ = v.send(t, http.MethodPost, "/held/confirm", form)
		require.Equal(t, http.StatusBadRequest, response.StatusCode, "it goes once")
		v.shows(t, "/held", "some of it was let go")
		again, rest := v.heldForm(t)
		require.Equal(t, id, again)
		require.Equal(t, []string{"row " + kept}, rest["go"])
	})
}
