package openwebui

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEmbeddingsOfTheSameTextAreTheSameAndOfSharedWordsAreNear(t *testing.T) {
	t.Parallel()
	text := embed("The mill by the river grinds barley.")
	assert.Len(t, text, dimensions)
	assert.Equal(t, text, embed("the mill by the river grinds barley"))
	assert.Greater(t, cosine(text, embed("Barley from the mill.")), cosine(text, embed("Ships sail at dawn.")))
	assert.InDelta(t, 1, cosine(embed(""), embed("...")), 1e-6)
}

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
