package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/consumer/loop"
	"pruned/repo/testenv"
)

// chatWriter is an application on PostgreSQL that writes chats anew, and attaches files to
// them, those that are there and new ones, again and again.
type chatWriter struct {
	files []string
	took  []time.Duration
}

// The application reads a chat for itself and writes it whole (openwebui: models/chats.py).
const (
	pickChatSQL  = `SELECT id FROM chat OFFSET floor(random() * 2000) LIMIT 1`
	lockChatSQL  = `SELECT chat FROM chat WHERE id = $1 FOR UPDATE`
	writeChatSQL = `UPDATE chat SET chat = $2::json, updated_at = extract(epoch FROM now()) WHERE id = $1`
	uploadSQL    = `INSERT INTO file (id, user_id, filename, data, meta, created_at, updated_at)
		VALUES ($1, $2, 'load', '{"status":"completed"}', '{}', extract(epoch FROM now()), extract(epoch FROM now()))`
	linkSQL = `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES (gen_random_uuid()::text, $1, $2, $3, 0, 0) ON CONFLICT DO NOTHING`
)

// writeUntil writes until ctx ends. What is begun is ended.
func (w *chatWriter) writeUntil(ctx context.Context, conn *pgx.Conn) error {
	whole := context.WithoutCancel(ctx)
	for n := 0; loop.Sleep(ctx, betweenWrites); n++ {
		var chat string
		if err := conn.QueryRow(whole, pickChatSQL).Scan(&chat); err != nil {
			return err
		}
		began := time.Now()
		if err := pgx.BeginFunc(whole, conn, func(tx pgx.Tx) error { return w.writeChat(whole, tx, chat, n) }); err != nil {
			return err
		}
		w.took = append(w.took, time.Since(began))
	}
	return nil
}

// writeChat writes a chat; every fourth time it attaches a file, by turns a new one.
func (w *chatWriter) writeChat(ctx context.Context, tx pgx.Tx, chat string, n int) error {
	var text []byte
	if err := tx.QueryRow(ctx, lockChatSQL, chat).Scan(&text); err != nil {
		return err
	}
	if n%4 == 0 {
		file := w.files[rand.IntN(len(w.files))]
		if n%8 == 0 {
			file = testenv.NewID()
			if _, err := tx.Exec(ctx, uploadSQL, file, testenv.UserID); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, linkSQL, testenv.UserID, chat, file); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, writeChatSQL, chat, text)
	return err
}
