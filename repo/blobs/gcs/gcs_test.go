package gcs_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// The suites, on a server that takes Google's part.
func TestBlobs(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, buckettest.Server{
		Provider: "gcs", Takes: utf8.ValidString, Forgets: true, Pages: 1100, Many: 1100,
		IsPage: func(url string) bool { return strings.HasSuffix(strings.Split(url, "?")[0], "/o") },
	})
}
