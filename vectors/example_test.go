package vectors_test

import (
	"fmt"

	"pruned/vectors"
)

const (
	file      = "7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34"
	knowledge = "0b1d6c1e-55aa-4c8f-a2f3-9d2f7f0e6b11"
)

// A file's chunks lie in a collection of its own, under its id.
func ExampleFileCollection() {
	fmt.Println(vectors.FileCollection(file))
	// Output: file-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
}

// What lies in a file's own collection is that file's, whatever its metadata says.
func ExampleCollectionOwner() {
	fmt.Println(vectors.CollectionOwner("file-" + file))
	fmt.Println(vectors.CollectionOwner(knowledge))
	// Output:
	// 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34 true
	// 0b1d6c1e-55aa-4c8f-a2f3-9d2f7f0e6b11 false
}

// Copies of chunks lie in the collections of knowledge bases, which are called by their
// ids: there the metadata names the file. A file's own collection is not shared.
func ExampleIsShared() {
	fmt.Println(vectors.IsShared(knowledge))
	fmt.Println(vectors.IsShared("file-" + file))
	fmt.Println(vectors.IsShared("my-plugin"))
	// Output:
	// true
	// false
	// false
}

// A collection that Open WebUI would not name so is a plugin's, and never touched. Known
// is more than shared: memories hold nothing of files.
func ExampleIsKnown() {
	for _, name := range []string{"file-" + file, knowledge, "user-memory-" + file, "my-plugin"} {
		fmt.Println(vectors.IsKnown(name), vectors.IsShared(name), name)
	}
	// Output:
	// true false file-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// true true 0b1d6c1e-55aa-4c8f-a2f3-9d2f7f0e6b11
	// true false user-memory-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// false false my-plugin
}
