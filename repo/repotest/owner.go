package repotest

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// ownerCases are what tells this installation's things from others'.
var ownerCases = map[string]func(*testing.T, Engine){
	"ownership: ids that never were a file's are strangers": strangersAreTold,
	"ownership: users that never were here are told":        unknownUsersAreTold,
	"ownership: a store is bound in spite of known signs":   bindingKeepsSigns,
	"lost links: an empty link table is told":               emptyLinksAreTold,
	"lost links: the files of knowledge bases are counted":  linkedFilesAreCounted,
}

func strangersAreTold(t *testing.T, e Engine) {
	there, capital, plugin := e.file(t, nil), e.file(t, row{"id": "AAAAAAAA-1111-4111-8111-111111111111"}), e.file(t, row{"id": "plugin"})
	deleted, gone, never := uuid.NewString(), uuid.NewString(), uuid.NewString()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{{FileID: deleted, Outcome: "deleted"}, {FileID: gone, Outcome: "gone"}, {FileID: "tool", Outcome: "deleted"}}))
	})
	e.refresh(t)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		had, err := e.DB.FindRowless(ctx, tx, []string{there, capital, "aaaaaaaa-1111-4111-8111-111111111111", plugin, "tool", deleted, gone, never, "search-cache", "it's"})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"tool": true, deleted: true, gone: false, never: false, "search-cache": false, "it's": false}, had)
		had, err = e.DB.FindRowless(ctx, tx, nil)
		require.NoError(t, err)
		require.Empty(t, had)
	})
}

func unknownUsersAreTold(t *testing.T, e Engine) {
	user, gone, never := e.insert(t, "user", nil), uuid.NewString(), uuid.NewString()
	e.file(t, row{"user_id": gone})
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		got, err := e.DB.FindUnknownUsers(ctx, tx, []string{user, gone, never})
		require.NoError(t, err)
		require.Equal(t, []string{never}, got)
	})
}

func bindingKeepsSigns(t *testing.T, e Engine) {
	is := func(bound bool, accepted string) {
		t.Helper()
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			got, is, err := e.DB.StoreApproval(ctx, tx, "store")
			require.NoError(t, err)
			require.Equal(t, bound, is)
			require.Equal(t, accepted, got)
		})
	}
	is(false, "")
	for _, accepted := range []string{"", "a sign", "another"} {
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			require.NoError(t, e.DB.ApproveStore(ctx, tx, "store", accepted))
		})
		is(true, accepted)
	}
	require.False(t, e.bound(t, "another"))
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.RevokeStore(ctx, tx, "store")) })
	is(false, "")
}

func emptyLinksAreTold(t *testing.T, e Engine) {
	empty := func(want ...string) {
		t.Helper()
		e.refresh(t)
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			got, err := e.DB.EmptyLinks(ctx, tx)
			require.NoError(t, err)
			require.ElementsMatch(t, want, got)
		})
	}
	empty()
	id := e.file(t, nil)
	e.insert(t, "chat", row{"id": aChat, "chat": `{"history": {}, "files": []}`})
	empty()
	e.insert(t, "chat", row{"chat": `{"files": [{"id": "` + id + `"}, {"id": "` + id + `"}, {"id": "no such file"}]}`})
	for range repo.FewLinks {
		empty() // a small installation needs nobody
		e.insert(t, "chat", row{"chat": `{"files":[{"type": "file", "id": "` + e.file(t, nil) + `"}]}`})
	}
	empty("chat_file")
	e.insert(t, "knowledge", row{"id": aKnowledge})
	empty("chat_file", "knowledge_file")
	e.insert(t, "chat_file", row{"file_id": id})
	e.insert(t, "knowledge_file", row{"file_id": id})
	empty()
	e.Unchecked(t, `DROP TABLE chat_file`)
	e.Unchecked(t, `DROP TABLE knowledge_file`)
	empty()
}

func linkedFilesAreCounted(t *testing.T, e Engine) {
	ids := e.files(t, 3)
	e.insert(t, "knowledge", row{"id": aKnowledge})
	other := e.insert(t, "knowledge", nil)
	for _, id := range ids {
		e.insert(t, "knowledge_file", row{"file_id": id})
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		got, err := e.DB.LinkedFiles(ctx, tx, []string{aKnowledge, other, "none"})
		require.NoError(t, err)
		require.Equal(t, map[string]int64{aKnowledge: 3, other: 0}, got)
	})
}
