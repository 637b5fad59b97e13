package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"pruned/repo/testenv"
	"pruned/vectors/mariadb"
)

const mariadbDatabase = "vectors"

// mariadbServer has one table for all collections.
type mariadbServer struct {
	server *testenv.MariaDB
	db     *sql.DB
}

func runMariaDB(ctx context.Context, _ *lab) (vectorServer, error) {
	server, err := testenv.RunMariaDB(ctx)
	if err != nil {
		return nil, err
	}
	db, err := server.MakeDatabase(ctx, mariadbDatabase)
	if err != nil {
		return nil, errors.Join(err, server.End())
	}
	return &mariadbServer{server, db}, nil
}

func (m *mariadbServer) settings() []string {
	return []string{"VECTOR_DB=mariadb-vector", "MARIADB_VECTOR_DB_URL=" + m.server.URL(mariadbDatabase)}
}

func (m *mariadbServer) storeName(ctx context.Context) (string, error) {
	store, err := mariadb.New(ctx, mariadb.Options{URL: m.server.URL(mariadbDatabase)})
	if err != nil {
		return "", err
	}
	defer store.Close()
	return store.Info().Name, nil
}

func (m *mariadbServer) insert(ctx context.Context, chunks []chunk) error {
	for some := range slices.Chunk(chunks, 1000) {
		var args []any
		for _, c := range some {
			metadata, err := json.Marshal(c.metadata)
			if err != nil {
				return err
			}
			direction := fmt.Sprintf("[%f,%f,%f]", rand.Float32(), rand.Float32(), rand.Float32())
			args = append(args, c.id, direction, c.collection, string(metadata))
		}
		rows := strings.TrimSuffix(strings.Repeat("(?, VEC_FromText(?), ?, 'some text', ?), ", len(some)), ", ")
		if _, err := m.db.ExecContext(ctx, "INSERT INTO document_chunk (id, embedding, collection_name, text, vmetadata) VALUES "+rows, args...); err != nil {
			return err
		}
	}
	return nil
}

func (m *mariadbServer) list(ctx context.Context) (chunks []chunk, err error) {
	rows, err := m.db.QueryContext(ctx, "SELECT id, collection_name, vmetadata FROM document_chunk")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c chunk
		var metadata []byte
		if err := rows.Scan(&c.id, &c.collection, &metadata); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(metadata, &c.metadata); err != nil {
			return nil, err
		}
		chunks = append(chunks, c)
	}
	return chunks, rows.Err()
}

func (m *mariadbServer) end() error { return errors.Join(m.db.Close(), m.server.End()) }
