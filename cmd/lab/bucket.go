package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

// moveBytes puts the bytes of a world into a bucket of a server of its own, as Open WebUI
// with that provider has them: what lies in the folder are copies.
func (w *world) moveBytes(ctx context.Context, provider string) (err error) {
	if w.bytes, err = testenv.RunBytes(ctx, provider); err != nil {
		return err
	}
	if w.bucket, err = w.bytes.MakeBucket(ctx, "bucket"); err != nil {
		return err
	}
	names, err := w.copyNames()
	if err != nil || len(names) == 0 {
		return err
	}
	content, err := os.ReadFile(filepath.Join(w.uploads(), names[0]))
	if err == nil {
		err = testenv.PutMany(ctx, w.bucket, names, content)
	}
	w.stores = append(w.stores, w.bucket.Settings()...)
	return errors.Join(err, w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `UPDATE file SET path = $1 || split_part(path, '/', -1)`, w.bucket.Root())
		return err
	}))
}

// copyNames are the names in the upload folder, but for marks.
func (i *installation) copyNames() (names []string, err error) {
	entries, err := os.ReadDir(i.uploads())
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// bucketName is what the program calls the bucket.
func (w *world) bucketName(ctx context.Context) (string, error) {
	store, err := buckettest.Open(ctx, w.bucket, buckettest.Options{})
	if err != nil {
		return "", err
	}
	return store.Info().Name, store.Close()
}

// objectNames are those of the bytes, wherever they are: with a bucket twice.
func (i *installation) objectNames(ctx context.Context) ([]string, error) {
	names, err := i.copyNames()
	if err != nil || i.bucket == nil {
		return names, err
	}
	keys, err := i.bucket.Keys(ctx)
	return append(names, keys...), err
}

// bytesPlaces is how often the bytes of a file are there.
func (i *installation) bytesPlaces() int64 {
	if i.bucket == nil {
		return 1
	}
	return 2
}
