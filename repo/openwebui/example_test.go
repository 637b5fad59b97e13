package openwebui_test

import (
	"fmt"

	"pruned/repo/openwebui"
)

// An object is named after its file: {uuid}_{name}, {uuid}.{ext} or {uuid}. Whatever is
// called otherwise is somebody else's.
func ExampleObjectFile() {
	for _, name := range []string{
		"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34_report.pdf",
		"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34.png",
		"7F3C9A52-8D41-4F7E-9B06-2C5DE81F0A34", // as it is written
		"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34-report.pdf",
		"report.pdf",
	} {
		fmt.Printf("%q\n", openwebui.ObjectFile(name))
	}
	// Output:
	// "7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34"
	// "7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34"
	// "7F3C9A52-8D41-4F7E-9B06-2C5DE81F0A34"
	// ""
	// ""
}
