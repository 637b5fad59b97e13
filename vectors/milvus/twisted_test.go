package milvus_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// twisted is a server that passes everything on, until a test says otherwise.
type twisted struct {
	milvuspb.UnimplementedMilvusServiceServer
	behind milvuspb.MilvusServiceClient

	mutex   sync.Mutex
	queries int
	query   func(n int, in *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) // nil, nil: pass on
	remove  func() (*milvuspb.MutationResult, error)
	drop    func() (*commonpb.Status, error)
	show    func() (*milvuspb.ShowCollectionsResponse, error)
}

func (s *twisted) pass(ctx context.Context) context.Context {
	incoming, _ := metadata.FromIncomingContext(ctx)
	return metadata.NewOutgoingContext(ctx, metadata.Pairs("dbname", incoming.Get("dbname")[0]))
}

func (s *twisted) GetVersion(ctx context.Context, in *milvuspb.GetVersionRequest) (*milvuspb.GetVersionResponse, error) {
	return s.behind.GetVersion(s.pass(ctx), in)
}

func (s *twisted) ShowCollections(ctx context.Context, in *milvuspb.ShowCollectionsRequest) (*milvuspb.ShowCollectionsResponse, error) {
	if s.show != nil {
		return s.show()
	}
	return s.behind.ShowCollections(s.pass(ctx), in)
}

func (s *twisted) Query(ctx context.Context, in *milvuspb.QueryRequest) (*milvuspb.QueryResults, error) {
	s.mutex.Lock()
	s.queries++
	n := s.queries
	s.mutex.Unlock()
	if s.query != nil {
		if out, err := s.query(n, in); out != nil || err != nil {
			return out, err
		}
	}
	return s.behind.Query(s.pass(ctx), in)
}

func (s *twisted) Delete(ctx context.Context, in *milvuspb.DeleteRequest) (*milvuspb.MutationResult, error) {
	if s.remove != nil {
		return s.remove()
	}
	return s.behind.Delete(s.pass(ctx), in)
}

func (s *twisted) DropCollection(ctx context.Context, in *milvuspb.DropCollectionRequest) (*commonpb.Status, error) {
	if s.drop != nil {
		return s.drop()
	}
	return s.behind.DropCollection(s.pass(ctx), in)
}

// twist is such a server before another one, and its address.
func twist(t testing.TB, url string, options ...grpc.ServerOption) (*twisted, string) {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimPrefix(url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	s := &twisted{behind: milvuspb.NewMilvusServiceClient(conn)}
	server := grpc.NewServer(options...)
	milvuspb.RegisterMilvusServiceServer(server, s)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving errgroup.Group
	serving.Go(func() error { return server.Serve(listener) })
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, serving.Wait())
	})
	return s, "http://" + listener.Addr().String()
}
