package vectorstest

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"pruned/vectors"
)

// Base is a knowledge base, and so is otherBase.
const (
	Base      = "b0000000-0000-4000-8000-00000000ba5e"
	otherBase = "b0000000-0000-4000-8000-00000001ba5e"
)

// world is two files to be removed, and what must stay.
type world struct {
	locked, loose  string
	bases          []string // two knowledge bases
	going, staying []Chunk
}

// newWorld: both files lie in their own collections and in both knowledge
// bases. Beside them is everything that is not theirs but nearly, as far as the store can
// have it.
func (f Fixture) newWorld() world {
	w := world{locked: uuid.NewString(), loose: uuid.NewString(), bases: []string{uuid.NewString(), uuid.NewString()}}
	hash := strings.Repeat("ab", 32)
	for _, id := range []string{w.locked, w.loose} {
		w.going = append(w.going, fileChunks(id, hash, w.bases...)...)
	}
	twin := uuid.NewString() // the same text, uploaded again
	w.staying = append(fileChunks(twin, hash, w.bases...),
		newChunk(w.bases[0], "", hash),                              // nobody's
		newChunk("web-search-"+uuid.NewString(), "", hash),          // found on the web
		newChunk(hash[:63], "", hash),                               // a web page
		newChunk(hash, "", hash),                                    // pasted text
		newChunk("user-memory-"+w.locked, "", ""),                   // a memory
		newChunk("knowledge-bases", "", ""),                         // what the knowledge bases are called
		newChunk(vectors.FileCollection(twin), w.locked, hash),      // the twin's own
		newChunk(vectors.FileCollection(w.locked+"0"), "", hash),    // a longer name
		newChunk(vectors.FileCollection(w.loose[:35]), "", hash),    // a shorter one
		newChunk(strings.ToUpper("file-"+w.loose), "", hash),        // not spelt so
		newChunk(w.bases[1], strings.ToUpper("a"+w.locked), hash),   // another id
		newChunk(w.bases[1], vectors.FileCollection(w.loose), ""),   // a collection, not an id
		newChunk(w.locked, "", hash), newChunk(w.loose, twin, hash), // knowledge bases that are called so
	)
	w.staying = f.takenChunks(w.staying)
	return w
}

// allChunks are the chunks to begin with.
func (w world) allChunks() []Chunk { return append(w.going[:len(w.going):len(w.going)], w.staying...) }

// fileChunks is what a file leaves in a store: three chunks in its own collection,
// and copies of them in each knowledge base.
func fileChunks(id, hash string, bases ...string) (chunks []Chunk) {
	for _, collection := range append([]string{vectors.FileCollection(id)}, bases...) {
		for range 3 {
			chunks = append(chunks, newChunk(collection, id, hash))
		}
	}
	return chunks
}

func newChunk(collection, fileID, hash string) Chunk {
	return Chunk{ID: uuid.NewString(), Collection: collection, FileID: fileID, Hash: hash}
}

// odd are ids that only care with quotes, patterns, arrays and case tells apart.
var odd = []string{
	`it's`, `"quoted"`, `back\slash`, `100%`, `under_score`, `{a,b}`, `a,b`, `NULL`, `$1`, `{table}`, ` space `,
	"new\nline", `x'; DROP TABLE document_chunk; --`, `ünïcödé-файл-文件`, `file-file-`, `CASE`, `case`,
	strings.Repeat("long", 100),
}

// similarIDs are ids that a careless comparison takes for one of odd.
func similarIDs() (ids []string) {
	for _, id := range odd {
		ids = append(ids, id+"x", "x"+id, fmt.Sprintf("%s ", id))
	}
	return append(ids, `100x`, `underXscore`, `Case`, `a`, `b`, ``)
}
