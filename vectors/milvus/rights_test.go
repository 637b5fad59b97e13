package milvus_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

// What a token may not is told by name, nothing is taken for removed, and with the rights
// that are named all goes. A wrong token is refused before anything.
func TestRights(t *testing.T) {
	t.Parallel()
	if !allStores {
		testenv.LeaveOut(t, "milvus-lite asks nobody who he is: make test-stores runs it on an engine of its own")
	}
	url := testenv.StartMilvus(t, testenv.MilvusOptions{Guarded: true}).URL()
	ctx := t.Context()
	a := &api{MilvusData: connect(t, url, "default", true), url: url, database: "default"}
	file := uuid.NewString()
	a.insert(t, append(many(3, vectors.FileCollection(file), file), many(3, vectorstest.Base, file)...)...)

	done(t)(a.CreateCredential(ctx, &milvuspb.CreateCredentialRequest{Username: "pruned", Password: base64.StdEncoding.EncodeToString([]byte("s3cr3t-and-more"))}))
	done(t)(a.CreateRole(ctx, &milvuspb.CreateRoleRequest{Entity: &milvuspb.RoleEntity{Name: "pruner"}}))
	done(t)(a.OperateUserRole(ctx, &milvuspb.OperateUserRoleRequest{Username: "pruned", RoleName: "pruner"}))
	grant := func(kind, privilege string) {
		done(t)(a.OperatePrivilege(ctx, &milvuspb.OperatePrivilegeRequest{Type: milvuspb.OperatePrivilegeType_Grant, Entity: &milvuspb.GrantEntity{
			Role: &milvuspb.RoleEntity{Name: "pruner"}, Object: &milvuspb.ObjectEntity{Name: kind}, ObjectName: "*", DbName: "default",
			Grantor: &milvuspb.GrantorEntity{User: &milvuspb.UserEntity{Name: "root"}, Privilege: &milvuspb.PrivilegeEntity{Name: privilege}},
		}}))
	}
	store := newStore(t, milvus.Options{URL: url, Multitenancy: true, Prefix: "open_webui", Token: "pruned:s3cr3t-and-more"})
	for _, right := range [][2]string{{"Global", "ShowCollections"}, {"Collection", "Query"}, {"Collection", "Load"}, {"Collection", "GetLoadState"}} {
		grant(right[0], right[1])
	}
	_, err := store.Remove(t.Context(), nil, []string{file})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "Delete")
	require.NotContains(t, err.Error(), "s3cr3t")
	require.Len(t, a.left(t), 6)
	wrong := newStore(t, milvus.Options{URL: url, Multitenancy: true, Token: "pruned:wrong"})
	requireUnusable(t, wrong, "MILVUS_TOKEN")

	grant("Collection", "Delete")
	require.Eventually(t, func() bool { // the server's own cache of rights
		_, err = store.Remove(t.Context(), nil, []string{file})
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	require.Empty(t, a.left(t))
}
