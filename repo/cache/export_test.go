package cache

import (
	"context"
	"os"
	"time"

	"pruned/repo"
)

// RemoveOldBy removes by other means.
func (f *Folder) RemoveOldBy(ctx context.Context, age time.Duration, remove func(*os.Root, string) error) (repo.CacheFiles, error) {
	return f.walkFolders(ctx, &walk{limit: age, remove: remove})
}
