package openwebui

import (
	"hash/fnv"
	"math"
	"strings"
	"unicode"
)

// dimensions is what Open WebUI's pgvector table holds; a shorter vector would be padded.
const dimensions = 1536

// embed turns a text into a vector of unit length: each word adds to one of the dimensions, so texts
// that share words are near to each other, and the same text always gives the same vector.
func embed(text string) []float32 {
	counts := make([]float64, dimensions)
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), notInWord) {
		hash := fnv.New32a()
		hash.Write([]byte(word))
		counts[hash.Sum32()%dimensions]++
	}
	return unit(counts)
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// unit scales to length one. Cosine distance is undefined for the zero vector, so a text without
// words points along the first axis.
func unit(counts []float64) []float32 {
	var sum float64
	for _, n := range counts {
		sum += n * n
	}
	if sum == 0 {
		counts[0], sum = 1, 1
	}
	vector := make([]float32, len(counts))
	for i, n := range counts {
		vector[i] = float32(n / math.Sqrt(sum))
	}
	return vector
}
