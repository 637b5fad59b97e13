package milvus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

// Of a server whose certificate an authority of one's own has signed, chunks are removed by
// who knows that authority. Nobody else asks it anything, nor does who calls it otherwise
// than its certificate does.
func TestCertificates(t *testing.T) {
	t.Parallel()
	lite := testenv.SharedMilvusLite(t).URL()
	a := newDatabase(t, lite, true)
	a.insert(t, many(3, vectorstest.Base, "f")...)
	authority := testenv.NewAuthority(t)
	named := authority.Issue(t, "milvus", "localhost")
	security, err := credentials.NewServerTLSFromFile(named.Cert, named.Key)
	require.NoError(t, err)
	_, url := twist(t, lite, grpc.Creds(security))
	url = "https" + strings.TrimPrefix(url, "http")
	byName := strings.Replace(url, "127.0.0.1", "localhost", 1)
	options := milvus.Options{URL: byName, Database: a.database, Multitenancy: true, Prefix: "open_webui", CAFile: authority.Path}

	for name, change := range map[string]func(*milvus.Options){
		"the system's authorities": func(o *milvus.Options) { o.CAFile = "" },
		"another authority":        func(o *milvus.Options) { o.CAFile = testenv.NewAuthority(t).Path },
		"another name":             func(o *milvus.Options) { o.URL = url },
	} {
		t.Run(name, func(t *testing.T) {
			other := options
			change(&other)
			requireUnusable(t, newStore(t, other), "x509")
		})
	}
	none := filepath.Join(t.TempDir(), "none.pem")
	require.NoError(t, os.WriteFile(none, []byte("no certificate"), 0o600))
	_, err = milvus.New(t.Context(), milvus.Options{URL: byName, CAFile: none})
	require.ErrorContains(t, err, "there is none in "+none)

	require.Len(t, a.left(t), 3)
	removed, err := newStore(t, options).Remove(t.Context(), nil, []string{"f", uuid.NewString()})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 3}, removed)
	require.Empty(t, a.left(t))
}
