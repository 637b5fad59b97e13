package repotest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

var departedCases = map[string]func(*testing.T, Engine){
	"departed: what is private keeps by default":    departedKeepsByDefault,
	"departed: what nobody can open keeps nothing":  departedKeepsNothing,
	"departed: what others can open keeps":          grantedKeeps,
	"departed: what is used by others keeps":        usedByOthersKeeps,
	"departed: what belongs to nobody alone keeps":  sharedKeeps,
	"departed: a user who comes back":               userComesBack,
	"departed: without any user everything keeps":   noUsersKeep,
	"departed: a sweep finds what they alone keep":  sweepFindsDeparted,
	"departed: older grants keep everything":        olderGrantsKeep,
	"departed: what would be left out is explained": departedIsExplained,
}

// gone is the id of a user who has no row.
const gone = "a-user-who-left"

// private inserts what nobody but that user can open, a file each, by what mentions it.
func (e Engine) private(t testing.TB) (ids map[string]string) {
	t.Helper()
	ids = map[string]string{}
	for _, name := range []string{"note", "folder", "model", "knowledge", "prompt", "knowledge_file", "model_history", "prompt_history"} {
		ids[name] = e.file(t, nil)
	}
	for name, column := range map[string]string{"note": "data", "folder": "data", "model": "meta", "knowledge": "meta", "prompt": "data"} {
		e.insert(t, name, row{"id": "left-" + name, "user_id": gone, column: strings.ReplaceAll(asItem, "%s", ids[name])})
	}
	e.insert(t, "knowledge_file", row{"user_id": gone, "knowledge_id": "left-knowledge", "file_id": ids["knowledge_file"]})
	e.insert(t, "model_history", row{"user_id": gone, "model_id": "left-model", "snapshot": strings.ReplaceAll(asItem, "%s", ids["model_history"])})
	e.insert(t, "prompt_history", row{"user_id": gone, "prompt_id": "left-prompt", "snapshot": strings.ReplaceAll(asItem, "%s", ids["prompt_history"])})
	return ids
}

// grant gives somebody access to a row.
func (e Engine) grant(t testing.TB, table, id, kind, to string) {
	t.Helper()
	e.insert(t, "access_grant", row{"resource_type": table, "resource_id": id, "principal_type": kind, "principal_id": to})
}

// mindful is the engine that ignores them, on the same database, with a full index.
func (e Engine) mindful(t testing.TB) Engine {
	t.Helper()
	e.DB = e.Departed(t)
	e.refresh(t)
	return e
}

// keepsOf are the names of those files that are kept, the same from rows that changed as
// by the index.
func (e Engine) keepsOf(t testing.TB, ids map[string]string) []string {
	t.Helper()
	look := func() (kept []string) {
		found := e.look(t, slices.Collect(maps.Values(ids))...)
		require.Empty(t, found.Unknown)
		for name, id := range ids {
			if _, is := found.Referenced[id]; is {
				kept = append(kept, name)
			}
		}
		slices.Sort(kept)
		return kept
	}
	first := look()
	e.settle(t, slices.Collect(maps.Values(ids))...)
	require.Equal(t, first, look())
	return first
}

func namesOf(ids map[string]string) []string { return slices.Sorted(maps.Keys(ids)) }

// departedKeepsByDefault: whoever does not say otherwise keeps them.
func departedKeepsByDefault(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	e.refresh(t)
	require.Equal(t, namesOf(ids), e.keepsOf(t, ids))
}

// departedKeepsNothing: the index that was made for the other value serves this one, and
// the other way round.
func departedKeepsNothing(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	keeping := e
	keeping.refresh(t)
	e.DB = e.Departed(t)
	if e.Hold != nil { // an engine whose index is in the database
		require.Empty(t, e.keepsOf(t, ids))
	}
	e.refresh(t)
	require.Empty(t, e.keepsOf(t, ids))
	require.Equal(t, namesOf(ids), keeping.keepsOf(t, ids))
}

// grantedKeeps: each kind of grant that reaches somebody keeps, and no other.
func grantedKeeps(t *testing.T, e Engine) {
	e.parents(t)
	e.insert(t, "group", row{"id": "a-group"})
	ids := e.private(t)
	e = e.mindful(t)
	for name, to := range map[string][2]string{
		"a user who left": {"user", "another-who-left"}, "a group that is gone": {"group", "a-group-that-is-gone"},
		"a user called like a group": {"user", "a-group"}, "a group called like a user": {"group", aUser},
	} {
		for _, table := range []string{"note", "folder", "model", "knowledge", "prompt"} {
			e.grant(t, table, "left-"+table, to[0], to[1])
		}
		require.Empty(t, e.keepsOf(t, ids), name)
	}
	e.grant(t, "tool", "left-note", "user", aUser) // another thing of the same id
	require.Empty(t, e.keepsOf(t, ids))
	for _, to := range [][2]string{{"user", aUser}, {"group", "a-group"}, {"user", "*"}, {"anyone", "*"}, {"robot", "unheard-of"}} {
		for _, table := range []string{"note", "folder", "model", "knowledge", "prompt"} {
			e.Exec(t, `DELETE FROM access_grant`)
			e.grant(t, table, "left-"+table, to[0], to[1])
			want := []string{table}
			for _, of := range []string{table + "_file", table + "_history"} {
				if ids[of] != "" {
					want = append(want, of)
				}
			}
			require.Equal(t, want, e.keepsOf(t, ids), "%s for %v", table, to)
		}
	}
}

// usedByOthersKeeps: a knowledge base or a note in a model or a folder that others use, a
// folder inside another's. One of the same user who left makes no difference.
func usedByOthersKeeps(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	e.insert(t, "model", row{"id": "own", "user_id": gone, "meta": `{"knowledge":[{"type":"collection","id":"left-knowledge"}]}`})
	e.insert(t, "folder", row{"id": "own", "user_id": gone, "data": `{"files":[{"type":"note","id":"left-note"}]}`})
	e.Exec(t, `UPDATE folder SET parent_id = 'own' WHERE id = 'left-folder'`)
	e.Exec(t, `UPDATE folder SET parent_id = 'left-folder' WHERE id = 'own'`) // a loop
	e = e.mindful(t)
	require.Empty(t, e.keepsOf(t, ids))

	e.grant(t, "model", "own", "user", aUser)
	require.Equal(t, []string{"knowledge", "knowledge_file"}, e.keepsOf(t, ids))
	e.Exec(t, `UPDATE folder SET user_id = $1 WHERE id = 'own'`, aUser)
	require.Equal(t, []string{"folder", "knowledge", "knowledge_file", "note"}, e.keepsOf(t, ids))
}

// sharedKeeps: everything that is no private thing of one user, of one who left.
func sharedKeeps(t *testing.T, e Engine) {
	e.parents(t)
	ids := map[string]string{}
	for table, column := range map[string]string{"chat": "chat", "message": "data", "channel": "data", "tool": "meta", "skill": "meta", "shared_chat": "chat", "feedback": "data"} {
		ids[table] = e.file(t, nil)
		e.insert(t, table, row{"user_id": gone, column: strings.ReplaceAll(asItem, "%s", ids[table])})
	}
	for _, table := range []string{"chat_file", "channel_file", "knowledge_file"} {
		ids[table] = e.file(t, nil)
		e.insert(t, table, row{"user_id": gone, "file_id": ids[table]})
	}
	for name, owner := range map[string]any{"nobody's": nil, "without a name": ""} {
		ids[name] = e.file(t, nil)
		e.insert(t, "note", row{"user_id": owner, "title": ids[name]})
	}
	ids["history of nothing"] = e.file(t, nil)
	e.insert(t, "model_history", row{"model_id": "none", "user_id": gone, "snapshot": strings.ReplaceAll(asItem, "%s", ids["history of nothing"])})
	e = e.mindful(t)
	require.Equal(t, namesOf(ids), e.keepsOf(t, ids))
}

func userComesBack(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	e = e.mindful(t)
	require.Empty(t, e.keepsOf(t, ids))
	e.insert(t, "user", row{"id": gone})
	require.Equal(t, namesOf(ids), e.keepsOf(t, ids))
	e.Unchecked(t, `DELETE FROM "user" WHERE id = $1`, gone)
	require.Empty(t, e.keepsOf(t, ids))
}

// noUsersKeep: as while a backup is restored.
func noUsersKeep(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	e = e.mindful(t)
	e.Unchecked(t, `DELETE FROM "user"`)
	require.Equal(t, namesOf(ids), e.keepsOf(t, ids))
}

func sweepFindsDeparted(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	kept := e.file(t, nil)
	e.insert(t, "note", row{"title": kept})
	count := func(e Engine) (n int64) {
		e.refresh(t)
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			sweep, err := e.DB.BeginSweep(ctx, tx)
			require.NoError(t, err)
			require.NoError(t, e.DB.UpsertRowCandidates(ctx, tx, sweep))
			census, err := e.DB.CountCandidates(ctx, tx, repo.FromRows, repo.Ages{}, 0)
			require.NoError(t, err)
			n = census.Found
		})
		return n
	}
	require.Zero(t, count(e))
	mindful := e.mindful(t)
	mindful.settle(t, kept)
	require.EqualValues(t, len(ids), count(mindful))
	e.grant(t, "note", "left-note", "user", aUser)
	require.EqualValues(t, len(ids)-1, count(mindful))
}

// olderGrantsKeep: a revision that has its grants in the rows.
func olderGrantsKeep(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	e.Exec(t, `ALTER TABLE note ADD COLUMN access_control text`)
	e = e.mindful(t)
	require.Equal(t, namesOf(ids), e.keepsOf(t, ids))
}

func departedIsExplained(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.private(t)
	e.insert(t, "note", row{"title": ids["note"]})
	e.refresh(t)
	departed := func(e Engine, id string) (list []bool) {
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			found, err := e.DB.ListReferences(ctx, tx, id)
			require.NoError(t, err)
			for _, m := range found {
				list = append(list, m.Departed)
			}
		})
		return list
	}
	for range 2 {
		for name, id := range ids {
			if name != "note" {
				require.Equal(t, []bool{true}, departed(e, id), name)
			}
		}
		require.ElementsMatch(t, []bool{true, false}, departed(e, ids["note"]))
		e.settle(t, ids["note"])
	}
	mindful := e.mindful(t)
	require.Empty(t, departed(mindful, ids["folder"]))
	require.Equal(t, []bool{false}, departed(mindful, ids["note"]))
}

// lookAgainFindsRevived: what somebody else commits between the two looks makes rows live
// again that do not change.
func lookAgainFindsRevived(t *testing.T, e Engine) {
	e.parents(t)
	e.insert(t, "group", row{"id": "a-group"})
	ids := e.private(t)
	e = e.mindful(t)
	all := slices.Collect(maps.Values(ids))
	again := func(between func()) (appeared map[string]repo.Reference) {
		rolledBack := errors.New("rolled back")
		err := e.DB.InTx(background(), nil, func(tx repo.Tx) error {
			found, err := e.DB.FindReferences(background(), tx, all)
			require.NoError(t, err)
			require.Empty(t, found.Referenced)
			_, err = e.DB.Delete(background(), tx, all, 0)
			require.NoError(t, err)
			between()
			again, err := e.DB.RecheckReferences(background(), tx, found, all, nil)
			require.NoError(t, err)
			appeared = again.References
			return rolledBack
		})
		require.ErrorIs(t, err, rolledBack)
		return appeared
	}
	for range 2 {
		require.Empty(t, again(func() {}))
		require.Empty(t, again(func() { e.grant(t, "note", "left-note", "group", newID("gone")) }))
		appeared := again(func() { e.insert(t, "user", row{"id": gone}) })
		require.Len(t, appeared, len(all))
		require.Equal(t, "knowledge_file", appeared[ids["knowledge_file"]].Table)
		e.Unchecked(t, `DELETE FROM "user" WHERE id = $1`, gone)
		appeared = again(func() { e.grant(t, "knowledge", "left-knowledge", "group", "a-group") })
		require.Equal(t, "knowledge", appeared[ids["knowledge"]].Table)
		require.Len(t, appeared, 2, "and its link")
		e.Exec(t, `DELETE FROM access_grant`)
		appeared = again(func() {
			e.insert(t, "model", row{"id": "using", "user_id": aUser, "meta": `{"knowledge":[{"type":"note","id":"left-note"}]}`})
		})
		require.Len(t, appeared, 1)
		e.Exec(t, `DELETE FROM model WHERE id = 'using'`)
		e.settle(t, all...)
	}
}
