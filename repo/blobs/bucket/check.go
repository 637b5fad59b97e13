package bucket

import (
	"context"
	"crypto/rand"

	"pruned/repo"
)

// Check says whether bucket and copies can be used. It leaves nothing behind.
func (s *Store) Check(ctx context.Context) error {
	if err := s.checkOpen("look"); err != nil {
		return err
	}
	err := s.Client.CheckBucket(ctx)
	if err == nil {
		for _, listed := range s.Client.List(ctx, s.prefix) {
			err = listed
			break
		}
	}
	if err == nil {
		err = s.Client.CheckRemove(ctx, s.prefix+".pruned-check-"+rand.Text())
	}
	if err != nil {
		return s.fail(ctx, "look", err)
	}
	if s.Copies == nil {
		return nil
	}
	return s.Copies.Check(ctx)
}

// Describer is a Client that tells an operator what its bucket does with what is removed.
type Describer interface {
	Describe(ctx context.Context, versions bool) []repo.Finding
}

// Describe tells what removed means in this bucket, and where its copies lie.
func (s *Store) Describe(ctx context.Context) (found []repo.Finding) {
	if client, does := s.Client.(Describer); does {
		found = client.Describe(ctx, s.Versions)
	}
	if s.Copies == nil {
		found = append(found, repo.Finding{Check: "copies", OK: true, Warn: true,
			Detail: "the upload folder of DATA_DIR is not here: the copies that Open WebUI leaves there (STORAGE_LOCAL_CACHE) stay",
			Remedy: "let pruned see Open WebUI's data folder, or see that the folder goes with its container"})
	}
	return found
}
