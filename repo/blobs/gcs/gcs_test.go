package gcs_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// server takes Google's part.
var server = buckettest.Server{
	Provider: "gcs", Takes: utf8.ValidString, Forgets: true, Pages: 1100, Many: 1100,
	IsPage: func(url string) bool { return strings.HasSuffix(strings.Split(url, "?")[0], "/o") },
}

// The suites.
func TestBlobs(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, server)
}

func TestListingIsFlat(t *testing.T) { // alone: it measures the heap
	buckettest.RequireFlatListing(t, server)
}
