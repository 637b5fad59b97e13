package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
	"pruned/vectors/pgvector"
)

// pgvectorServer is a database of vectors beside that of the rows.
type pgvectorServer struct {
	url  string
	conn *pgx.Conn
}

func runPGVector(ctx context.Context, l *lab) (vectorServer, error) {
	if err := l.startPostgres(ctx); err != nil {
		return nil, err
	}
	url, err := l.server.CreateDatabase(ctx, "template1")
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := testenv.CreateChunks(ctx, conn, testenv.VectorOptions{Dim: 3}); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return &pgvectorServer{url, conn}, nil
}

func (p *pgvectorServer) settings() []string {
	return []string{"VECTOR_DB=pgvector", "PGVECTOR_DB_URL=" + p.url}
}

func (p *pgvectorServer) storeName(ctx context.Context) (string, error) {
	store, err := pgvector.NewRemote(ctx, pgvector.Options{URL: p.url})
	if err != nil {
		return "", err
	}
	defer store.Close()
	return store.Info().Name, nil
}

func (p *pgvectorServer) insert(ctx context.Context, chunks []chunk) error {
	_, err := p.conn.CopyFrom(ctx, pgx.Identifier{"public", "document_chunk"}, []string{"id", "collection_name", "text", "vmetadata"},
		pgx.CopyFromSlice(len(chunks), func(i int) ([]any, error) {
			return []any{chunks[i].id, chunks[i].collection, "some text", chunks[i].metadata}, nil
		}))
	if err == nil {
		_, err = p.conn.Exec(ctx, "VACUUM ANALYZE document_chunk")
	}
	return err
}

const chunksSQL = `SELECT id, collection_name, vmetadata FROM document_chunk`

func (p *pgvectorServer) list(ctx context.Context) ([]chunk, error) { return readChunks(ctx, p.conn) }

func (p *pgvectorServer) end() error { return p.conn.Close(context.Background()) }

// readChunks reads the application's table.
func readChunks(ctx context.Context, conn *pgx.Conn) ([]chunk, error) {
	rows, _ := conn.Query(ctx, chunksSQL) // an error comes out of the rows as well
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c chunk, err error) {
		return c, row.Scan(&c.id, &c.collection, &c.metadata)
	})
}
