package gcs

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"pruned/repo"
)

// CheckBucket lists, which the right to look at the bucket itself is not needed for.
func (c *client) CheckBucket(ctx context.Context) error {
	_, err := c.objects.List(c.bucket).MaxResults(1).Fields("nextPageToken").Context(ctx).Do()
	if hasStatus(err, http.StatusNotFound) {
		return fmt.Errorf("there is no bucket %q", c.bucket)
	}
	return translate(err, "storage.objects.list")
}

// CheckRemove removes what is not there, which leaves no mark.
func (c *client) CheckRemove(ctx context.Context, key string) error {
	err := c.objects.Delete(c.bucket, key).Context(ctx).Do()
	if hasStatus(err, http.StatusNotFound) {
		return nil
	}
	return translate(err, "storage.objects.delete")
}

// Describe tells what keeps objects that are removed, and rules by which others go.
func (c *client) Describe(ctx context.Context, versions bool) (found []repo.Finding) {
	tell := func(warn bool, detail, remedy string) {
		found = append(found, repo.Finding{Check: "bucket", OK: true, Warn: warn, Detail: detail, Remedy: remedy})
	}
	b, err := c.buckets.Get(c.bucket).Context(ctx).Do()
	if err != nil {
		tell(true, fmt.Sprintf("whether it keeps what is removed cannot be told: %v", translate(err, "storage.buckets.get")), "grant it, or look at the bucket's settings")
		return found
	}
	switch kept := b.Versioning != nil && b.Versioning.Enabled; {
	case !kept:
		tell(false, "keeps no generations", "")
	case versions:
		tell(false, "keeps generations: what is removed is removed with all of them (PRUNED_VERSIONS=delete)", "")
	default:
		tell(true, "keeps generations: an object that is removed is hidden, and its generations go on taking room",
			"PRUNED_VERSIONS=delete removes them as well; or have a rule of the bucket expire them")
	}
	if p := b.SoftDeletePolicy; p != nil && p.RetentionDurationSeconds > 0 {
		tell(true, fmt.Sprintf("what is removed can be had back, and is paid for, for %s more (soft delete): nobody can end that for an object", time.Duration(p.RetentionDurationSeconds)*time.Second),
			"set the bucket's soft delete policy to 0 where that must not be")
	}
	if p := b.RetentionPolicy; p != nil && p.RetentionPeriod > 0 {
		tell(true, fmt.Sprintf("no object goes before it is %s old (retention policy): until then it is tried again", time.Duration(p.RetentionPeriod)*time.Second), "")
	}
	if b.DefaultEventBasedHold {
		tell(true, "every new object in it is held: it stays until somebody releases it, and is tried again", "")
	}
	if b.Lifecycle != nil && len(b.Lifecycle.Rule) > 0 {
		tell(false, fmt.Sprintf("%d rules of its own move or remove objects (lifecycle)", len(b.Lifecycle.Rule)), "")
	}
	return found
}
