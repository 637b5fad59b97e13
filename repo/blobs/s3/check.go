package s3

import (
	"context"
	"fmt"

	"github.com/minio/minio-go/v7"

	"pruned/repo"
)

func (c *client) CheckBucket(ctx context.Context) error {
	there, err := c.server.BucketExists(ctx, c.bucket)
	if err == nil && !there {
		err = fmt.Errorf("there is no bucket %q", c.bucket)
	}
	return translate(err, "s3:ListBucket")
}

// CheckRemove removes what is not there, unless the bucket keeps versions, or may: there it
// would leave a mark behind.
func (c *client) CheckRemove(ctx context.Context, key string) error {
	versioning, err := c.server.GetBucketVersioning(ctx, c.bucket)
	if err != nil || versioning.Status != "" {
		return ctx.Err()
	}
	return translate(c.server.RemoveObject(ctx, c.bucket, key, minio.RemoveObjectOptions{}), "s3:DeleteObject")
}

// Describe tells of versions, locks and rules by which objects go.
func (c *client) Describe(ctx context.Context, versions bool) (found []repo.Finding) {
	const keeps = "an object that is removed is hidden, and its versions go on taking room"
	f := repo.Finding{Check: "bucket", OK: true}
	switch versioning, err := c.server.GetBucketVersioning(ctx, c.bucket); {
	case err != nil:
		f.Warn, f.Detail = true, fmt.Sprintf("whether it keeps versions cannot be told: %v", translate(err, "s3:GetBucketVersioning"))
		f.Remedy = "grant it; where the bucket keeps versions, " + keeps
	case versioning.Status == "":
		f.Detail = "keeps no versions: what is removed is gone"
	case versions:
		f.Detail = fmt.Sprintf("versioning is %s: what is removed is removed with all its versions (PRUNED_VERSIONS=delete)", versioning.Status)
	default:
		f.Warn, f.Detail = true, fmt.Sprintf("versioning is %s: %s", versioning.Status, keeps)
		f.Remedy = "PRUNED_VERSIONS=delete removes the versions as well; or have a rule of the bucket expire them"
	}
	found = append(found, f)
	if lock, mode, _, _, err := c.server.GetObjectLockConfig(ctx, c.bucket); err == nil && lock != "" {
		f := repo.Finding{Check: "bucket", OK: true, Warn: true, Detail: "objects in it can be locked: the store keeps a locked version, whoever removes it"}
		if mode != nil {
			f.Detail = fmt.Sprintf("every new object in it is locked for a time (%s): the store keeps its version until then, whoever removes it", *mode)
		}
		found = append(found, f)
	}
	return found
}
