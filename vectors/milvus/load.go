package milvus

import (
	"context"
	"fmt"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
)

const (
	// loadPatience bounds the wait for a collection that is loaded, loadPoll the pause
	// between looks.
	loadPatience = 2 * time.Minute
	loadPoll     = 50 * time.Millisecond
)

// load loads a collection, as the application does at each read: one that was just made is
// not, nor one that somebody released. It is never released again, since the application's
// searches would fail.
func (s *Store) load(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, loadPatience, fmt.Errorf("it is not loaded after %s", loadPatience))
	defer cancel()
	doing := "load collection " + name
	if _, err := call(ctx, s, doing, s.server.LoadCollection, &milvuspb.LoadCollectionRequest{CollectionName: name, ReplicaNumber: 1}); err != nil {
		return err
	}
	again := time.NewTicker(loadPoll)
	defer again.Stop()
	for {
		answer, err := call(ctx, s, doing, s.server.GetLoadState, &milvuspb.GetLoadStateRequest{CollectionName: name})
		if err != nil {
			return err
		}
		switch answer.GetState() {
		case commonpb.LoadState_LoadStateLoaded:
			return nil
		case commonpb.LoadState_LoadStateNotExist:
			return errMissing
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return s.describeFailure(doing, context.Cause(ctx))
		}
	}
}
