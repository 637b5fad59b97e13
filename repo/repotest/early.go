package repotest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// earlyMention: a plugin chooses the id first and mentions it, or the tables that
// mention files are restored before table file: whatever the row is dated, and
// however many passes came between.
func earlyMention(t *testing.T, e Engine) {
	e.file(t, nil)
	e.refresh(t)
	var ids []string
	dates := []row{aged(0), aged(0), aged(0), aged(30 * day), aged(-30 * day), {"created_at": nil}}
	forms := []func(string) string{upper, underscored}
	for i := range dates {
		id := uuid.NewString()
		ids = append(ids, id)
		if i < len(forms) {
			id = forms[i](id)
		}
		e.insert(t, "note", row{"data": `{"a":["` + id + `"]}`})
	}
	e.settle(t)
	e.pass(t)
	for i, id := range ids {
		dates[i]["id"] = id
		e.file(t, dates[i])
	}
	e.neverFree(t, ids...)
}

// returningFile: the row of a file goes, while others mention it, and comes back
// under the same id.
func returningFile(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	for _, id := range ids {
		e.insert(t, "note", row{"title": id})
	}
	e.settle(t)
	e.Exec(t, `DELETE FROM file`)
	e.settle(t)
	e.file(t, row{"id": ids[0]})
	for _, id := range ids[1:] {
		fresh := aged(0)
		fresh["id"] = id
		e.file(t, fresh)
	}
	e.neverFree(t, ids...)
}

// neverFree says that nobody may take files for free that are mentioned, neither
// before the next pass nor after it, and that a refresh finds their mentions.
func (e Engine) neverFree(t testing.TB, ids ...string) {
	t.Helper()
	kept := func() {
		t.Helper()
		found := e.look(t, ids...)
		for i, id := range ids {
			_, mentioned := found.Referenced[id]
			require.True(t, mentioned || found.Unknown[id], "file %d", i)
		}
	}
	kept()
	for range 3 {
		e.pass(t)
		kept()
	}
	e.refresh(t)
	found := e.look(t, ids...)
	require.Empty(t, found.Unknown)
	require.Len(t, found.Referenced, len(ids))
}

// unmentionedIsKnown: what nothing mentioned before is known after one pass,
// however old it is: nothing has to be read again for it.
func unmentionedIsKnown(t *testing.T, e Engine) {
	other := uuid.NewString()
	e.insert(t, "note", row{"title": other})
	e.settle(t)
	fresh, restored := e.file(t, aged(0)), e.file(t, aged(30*day))
	e.pass(t)
	e.free(t, fresh, restored)

	// The row first, its mention later, is what the application does.
	e.insert(t, "note", row{"title": fresh})
	e.settle(t)
	e.Exec(t, `DELETE FROM note`)
	e.settle(t)
	e.free(t, fresh, restored)
}
