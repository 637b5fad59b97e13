package azure_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// The suites. A listing of this server fails for all where one name has a control
// character that XML has not.
func TestBlobs(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, buckettest.Server{
		Provider: "azure", Forgets: true, Many: 300, Together: true,
		Takes:     func(name string) bool { return utf8.ValidString(name) && !strings.Contains(name, "\x01") },
		WrongKeys: map[string]string{"AZURE_STORAGE_KEY": "d3Jvbmc="},
		IsPage:    func(url string) bool { return strings.Contains(url, "comp=list") },
	})
}
