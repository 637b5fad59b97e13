package repo

import (
	"context"
	"time"
)

// Cache is what the application stores only in order not to make it again.
type Cache interface {
	// CountOld counts the files that nothing touched for so long.
	CountOld(ctx context.Context, age time.Duration) (CacheFiles, error)

	// RemoveOld removes them. A file that cannot be removed is counted, and keeps no other
	// from being removed; err says that ctx ended.
	RemoveOld(ctx context.Context, age time.Duration) (CacheFiles, error)
}

// CacheFiles counts files of the cache.
type CacheFiles struct {
	Files   int64  `json:"files"`
	Bytes   int64  `json:"bytes"`             // that they take of the disk
	Failed  int64  `json:"failed"`            // files and folders that could not be looked at, or removed
	Failure string `json:"failure,omitempty"` // the first of those failures
}
