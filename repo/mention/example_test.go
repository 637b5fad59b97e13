package mention_test

import (
	"fmt"

	"pruned/repo/mention"
)

// An id is found however a text writes it, and yielded as the finder was given it.
func ExampleFinder() {
	finder := mention.NewFinder([]string{"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34", "logo-v2"})
	for _, text := range []string{
		`{"files": [{"url": "/api/v1/files/7F3C9A52-8D41-4F7E-9B06-2C5DE81F0A34/content"}]}`,
		`VIDEO_FILE_ID_7f3c9a52_8d41_4f7e_9b06_2c5de81f0a34`, // as vector stores write it
		`7f3c9a528d414f7e9b062c5de81f0a34`,                   // uuid.hex of Python
		`7f3c9a52%2D8d41%2D4f7e%2D9b06%2D2c5de81f0a34`,       // escaped in a URL
		`![logo](Logo-V2)`,
		`0b1d6c1e-55aa-4c8f-a2f3-9d2f7f0e6b11 is no file of ours`,
	} {
		found := "nothing"
		finder.Find([]byte(text), func(id string) { found = id })
		fmt.Println(found)
	}
	// Output:
	// 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// logo-v2
	// nothing
}

// Of an id that may be written in a way that no search finds, as a number or a date may,
// nothing can be said: such a file is always kept, and a finder leaves its id out.
func ExampleSearchable() {
	for _, id := range []string{"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34", "logo-v2", "my file", "20260102", "true"} {
		fmt.Println(mention.Searchable(mention.Token(id)), id)
	}
	// Output:
	// true 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// true logo-v2
	// false my file
	// false 20260102
	// false true
}
