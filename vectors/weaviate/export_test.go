package weaviate

// CollectionOf is the collection that a class holds.
var CollectionOf = collectionOf
