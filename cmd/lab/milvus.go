package main

import (
	"context"
	"errors"
	"slices"

	"pruned/repo/testenv"
	"pruned/vectors/milvus"
)

// milvusServer is the engine of Milvus, where five collections hold all: one of its own for
// each of thousands of files would cost it seconds each to make.
type milvusServer struct {
	server *testenv.Milvus
	data   *testenv.MilvusData
}

func runMilvus(ctx context.Context, _ *lab) (vectorServer, error) {
	server, err := testenv.RunMilvus(ctx, testenv.MilvusOptions{})
	if err != nil {
		return nil, err
	}
	data, err := testenv.OpenMilvus(server.URL(), "", true)
	if err != nil {
		return nil, errors.Join(err, server.End())
	}
	return &milvusServer{server, data}, nil
}

func (m *milvusServer) settings() []string {
	return []string{"VECTOR_DB=milvus", "MILVUS_URI=" + m.server.URL(), "ENABLE_MILVUS_MULTITENANCY_MODE=true"}
}

func (m *milvusServer) storeName(ctx context.Context) (string, error) {
	store, err := milvus.New(ctx, milvus.Options{URL: m.server.URL(), Multitenancy: true, Prefix: "open_webui"})
	if err != nil {
		return "", err
	}
	defer store.Close()
	return store.Info().Name, nil
}

func (m *milvusServer) insert(ctx context.Context, chunks []chunk) error {
	rows := map[string][]testenv.MilvusRow{}
	for _, c := range chunks {
		name := m.data.ServerName(c.collection)
		rows[name] = append(rows[name], testenv.MilvusRow{ID: c.id, Collection: c.collection, Metadata: c.metadata})
	}
	for name, some := range rows {
		if err := m.data.Create(ctx, name, testenv.MilvusDimension); err != nil {
			return err
		}
		if err := m.data.Insert(ctx, name, some...); err != nil {
			return err
		}
	}
	return nil
}

func (m *milvusServer) list(ctx context.Context) (chunks []chunk, err error) {
	names, err := m.data.Collections(ctx)
	for _, name := range slices.Sorted(slices.Values(names)) {
		rows, failed := m.data.Rows(ctx, name)
		err = errors.Join(err, failed)
		for _, row := range rows {
			chunks = append(chunks, chunk{row.ID, row.Collection, row.Metadata})
		}
	}
	return chunks, err
}

func (m *milvusServer) end() error { return errors.Join(m.data.Close(), m.server.End()) }

func (m *milvusServer) crash() error   { return m.server.Crash() }
func (m *milvusServer) recover() error { return m.server.Recover() }
