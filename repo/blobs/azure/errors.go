package azure

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"pruned/repo/blobs/bucket"
)

func isMissing(err error) bool { return bloberror.HasCode(err, bloberror.BlobNotFound) }

// refusals are answers about one blob.
var refusals = []bloberror.Code{
	bloberror.SnapshotsPresent, bloberror.LeaseIDMissing, bloberror.BlobImmutableDueToPolicy, bloberror.AuthorizationPermissionMismatch,
	bloberror.AuthorizationFailure, bloberror.InsufficientAccountPermissions, bloberror.InvalidResourceName, bloberror.InvalidURI,
	bloberror.OperationNotAllowedOnRootBlob, "BlobImmutableDueToLegalHold", "PendingCopyOperation",
}

func judgeRemoval(err error) error {
	switch {
	case err == nil || isMissing(err):
		return nil
	case bloberror.HasCode(err, refusals...):
		return fmt.Errorf("%w: %w", bucket.ErrRefused, translate(err, "delete"))
	}
	return translate(err, "delete")
}

func statusOf(err error) int {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// remedies are what helps, by what was answered.
var remedies = map[bloberror.Code]string{
	bloberror.SnapshotsPresent: "it has snapshots, and PRUNED_VERSIONS=delete removes them with it",
	bloberror.LeaseIDMissing:   "somebody has a lease of it",
}

// translate names the right where that is missing, and leaves out the address, headers and
// body of an answer.
func translate(err error, right string) error {
	var answer *azcore.ResponseError
	var request *url.Error
	switch {
	case errors.As(err, &answer):
		code := bloberror.Code(answer.ErrorCode)
		err = fmt.Errorf("it answered %d %s", answer.StatusCode, code)
		if remedy := remedies[code]; remedy != "" {
			err = fmt.Errorf("%w: %s", err, remedy)
		}
		if answer.StatusCode == http.StatusForbidden && code != bloberror.AuthenticationFailed {
			err = fmt.Errorf("%w: the account needs Microsoft.Storage/storageAccounts/blobServices/containers/blobs/%s", err, right)
		}
	case errors.As(err, &request):
		err = fmt.Errorf("ask Azure: %w", request.Err)
	}
	return err
}
