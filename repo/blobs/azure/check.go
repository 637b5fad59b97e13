package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"pruned/repo"
)

// CheckBucket looks at the container.
func (c *client) CheckBucket(ctx context.Context) error {
	_, err := c.container.GetProperties(ctx, nil)
	if bloberror.HasCode(err, bloberror.ContainerNotFound, bloberror.ResourceNotFound) {
		return fmt.Errorf("there is no container %q", c.name)
	}
	return translate(err, "read")
}

// CheckRemove removes what is not there, which leaves no mark.
func (c *client) CheckRemove(ctx context.Context, key string) error {
	if _, err := c.container.NewBlobClient(key).Delete(ctx, nil); err != nil && !isMissing(err) {
		return translate(err, "delete")
	}
	return nil
}

// Describe tells what keeps blobs that are removed. Rules by which blobs move or go, and
// whether there are versions of blobs that are not there yet, the account tells elsewhere.
func (c *client) Describe(ctx context.Context, versions bool) (found []repo.Finding) {
	tell := func(warn bool, detail, remedy string) {
		found = append(found, repo.Finding{Check: "bucket", OK: true, Warn: warn, Detail: detail, Remedy: remedy})
	}
	switch kept, err := c.keepsVersions(ctx); {
	case err != nil:
		tell(true, fmt.Sprintf("whether it keeps versions cannot be told: %v", err), "")
	case versions:
		tell(false, "what is removed is removed with its snapshots and versions (PRUNED_VERSIONS=delete)", "")
	case kept:
		tell(true, "keeps versions: a blob that is removed is hidden, and its versions go on taking room; one that has snapshots stays",
			"PRUNED_VERSIONS=delete removes both as well; or have a rule of the account expire them")
	default:
		tell(false, "no versions were seen; a blob that has snapshots stays, and is tried again (PRUNED_VERSIONS=delete removes them with it)", "")
	}
	if account, err := c.account.GetProperties(ctx, nil); err != nil {
		tell(true, fmt.Sprintf("whether what is removed can be had back cannot be told: %v", translate(err, "read")), "look at the account's data protection")
	} else if p := account.DeleteRetentionPolicy; p != nil && p.Enabled != nil && *p.Enabled && p.Days != nil {
		tell(true, fmt.Sprintf("what is removed can be had back, and is paid for, for %d days more (soft delete): nobody can end that for a blob", *p.Days),
			"end soft delete in the account's data protection where that must not be")
	}
	if p, err := c.container.GetProperties(ctx, nil); err == nil && (isTrue(p.HasImmutabilityPolicy) || isTrue(p.HasLegalHold)) {
		tell(true, "blobs in it are locked for a time, or until somebody ends that (immutability, legal hold): they stay, and are tried again", "")
	}
	return found
}

// keepsVersions looks at the first blob.
func (c *client) keepsVersions(ctx context.Context) (bool, error) {
	for item, err := range c.list(ctx, "", container.ListBlobsInclude{Versions: true}) {
		return err == nil && item.VersionID != nil, err
	}
	return false, nil
}

func isTrue(b *bool) bool { return b != nil && *b }
