package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// ManyOptions say how large a database SeedMany makes.
type ManyOptions struct {
	Chats, Files, UUIDs int
	TextBytes           int // of each message
}

// Many is the database whose first pass is measured: 474 MB.
var Many = ManyOptions{Chats: 50_000, Files: 100_000, UUIDs: 3_000_000, TextBytes: 42}

// SeedMany makes a webui.db at path whose chats mention as many different UUIDs,
// as the ids of messages, and each of its files once. It is what an installation
// looks like whose chats are many and long, and it says little else.
func SeedMany(ctx context.Context, path string, o ManyOptions) (err error) {
	if err := CopySQLite(ctx, path); err != nil {
		return err
	}
	db, err := OpenSQLite(path, "wal")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := seedMany(ctx, tx, o); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

func seedMany(ctx context.Context, tx *sql.Tx, o ManyOptions) error {
	file, err := tx.PrepareContext(ctx, `INSERT INTO file (id, user_id, filename, meta, data, path, created_at, updated_at)
		VALUES (?1, 'u', 'f.pdf', '{"size":5}', ?2, '/data/uploads/' || ?1 || '_f.pdf', 1000, 1000)`)
	if err != nil {
		return err
	}
	defer file.Close()
	chat, err := tx.PrepareContext(ctx, `INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, meta)
		VALUES (?1, 'u', 't', ?2, 1, 1, 0, '{}')`)
	if err != nil {
		return err
	}
	defer chat.Close()
	files := make([]string, o.Files)
	for i := range files {
		files[i] = NewID()
		if _, err := file.ExecContext(ctx, files[i], `{"status":"completed","content":"`+randomText(300)+`"}`); err != nil {
			return err
		}
	}
	messages := (o.UUIDs - o.Files) / o.Chats
	for i := range o.Chats {
		if _, err := chat.ExecContext(ctx, fmt.Sprintf("chat-%d", i), longChat(messages, o.TextBytes, files[i*o.Files/o.Chats:(i+1)*o.Files/o.Chats])); err != nil {
			return err
		}
	}
	return nil
}

// longChat is a chat with as many messages, whose first attaches files.
func longChat(messages, text int, files []string) string {
	var b strings.Builder
	b.WriteString(`{"history":{"messages":{`)
	for i := range messages {
		id := NewID()
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%s":{"id":"%s","content":"%s"`, id, id, randomText(text))
		if i == 0 {
			b.WriteString(`,"files":[`)
			for j, file := range files {
				if j > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, `{"id":"%s"}`, file)
			}
			b.WriteByte(']')
		}
		b.WriteByte('}')
	}
	b.WriteString(`}}}`)
	return b.String()
}
