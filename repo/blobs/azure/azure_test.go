package azure_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// server takes Azure's part. A listing of it fails for all where one name has a control
// character that XML has not.
var server = buckettest.Server{
	Provider: "azure", Forgets: true, Many: 300, Together: true,
	Takes:     func(name string) bool { return utf8.ValidString(name) && !strings.Contains(name, "\x01") },
	WrongKeys: map[string]string{"AZURE_STORAGE_KEY": "d3Jvbmc="},
	IsPage:    func(url string) bool { return strings.Contains(url, "comp=list") },
}

// The suites.
func TestBlobs(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, server)
}

func TestListingIsFlat(t *testing.T) { // alone: it measures the heap
	buckettest.RequireFlatListing(t, server)
}
