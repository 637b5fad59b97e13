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

// Other collections live by other rows than those of files, or by any mention.
func ExampleLivesByMention() {
	for _, name := range []string{"web-search-" + file + "-0a1b", knowledge, "user-memory-" + file, "file-" + file, "my-plugin"} {
		fmt.Println(vectors.LivesByMention(name), name)
	}
	// Output:
	// true web-search-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34-0a1b
	// true 0b1d6c1e-55aa-4c8f-a2f3-9d2f7f0e6b11
	// false user-memory-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// false file-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// false my-plugin
}

// A memory is a row, a point of the same id, and so is the entry of a knowledge base in
// the search for them.
func ExamplePointTable() {
	fmt.Println(vectors.PointTable("user-memory-" + file))
	fmt.Println(vectors.PointTable(vectors.KnowledgeNames))
	fmt.Printf("%q\n", vectors.PointTable(knowledge))
	// Output:
	// memory
	// knowledge
	// ""
}

// A mistake of a caller is refused by name, whichever the store.
func ExampleCheckWhole() {
	fmt.Println(vectors.CheckWhole([]string{knowledge, "user-memory-" + file, "web-search-" + file}))
	for _, name := range []string{"my-plugin", vectors.FileCollection(file), vectors.KnowledgeNames} {
		fmt.Println(vectors.CheckWhole([]string{knowledge, name}))
	}
	// Output:
	// <nil>
	// collection "my-plugin" is left alone: it is a file's own, or Open WebUI gives no such name
	// collection "file-7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34" is left alone: it is a file's own, or Open WebUI gives no such name
	// collection "knowledge-bases" is never removed whole: it has a point for each knowledge base
}
