package mention

import (
	"bytes"
	"math/bits"
)

// wordSet finds ids that are no UUID. A few are looked for one after the other, which is
// fastest; many, as the names of collections are, in one pass over the text, whose cost
// does not grow with their number.
type wordSet struct {
	few    []word
	groups []wordGroup
}

type word struct {
	token []byte
	id    string
}

// maxFew is how many are looked for one after the other.
const maxFew = 8

func newWordSet(words []word) (s wordSet) {
	if len(words) <= maxFew {
		s.few = words
		return s
	}
	byWidth := map[int][]word{}
	for _, w := range words {
		byWidth[suffixWidth(w.token)] = append(byWidth[suffixWidth(w.token)], w)
	}
	s.few = byWidth[0]
	for _, width := range []int{8, 4} {
		if len(byWidth[width]) > 0 {
			s.groups = append(s.groups, newWordGroup(width, byWidth[width]))
		}
	}
	return s
}

// suffixWidth is by how many of its last bytes a token is looked for; zero where it has too
// few. The last ones tell more: names of one kind begin alike.
func suffixWidth(token []byte) int {
	switch n := len(token); {
	case n >= 8:
		return 8
	case n >= 4:
		return 4
	}
	return 0
}

func (s *wordSet) isEmpty() bool { return len(s.few)+len(s.groups) == 0 }

// find calls yield with each id that stands in a text in lower case; repeats included.
func (s *wordSet) find(text []byte, yield func(id string)) {
	for _, w := range s.few {
		if bytes.Contains(text, w.token) {
			yield(w.id)
		}
	}
	for i := range s.groups {
		s.groups[i].find(text, yield)
	}
}

// wordGroup are words that are looked for by as many of their last bytes.
type wordGroup struct {
	width   int
	mask    uint64              // of that many bytes
	ids     map[string][]string // by token
	lengths map[uint64][]int    // of the tokens that end in these bytes
	// filter refuses nearly every other ending by one look into memory.
	filter []uint64
	shift  int
}

// filterBits are the bits of the filter for each word.
const filterBits = 16

func newWordGroup(width int, words []word) wordGroup {
	n := bits.Len(uint(len(words)*filterBits)) + 1
	g := wordGroup{width: width, mask: ^uint64(0) >> (64 - 8*width), ids: make(map[string][]string, len(words)),
		lengths: make(map[uint64][]int, len(words)), filter: make([]uint64, 1<<(n-6)), shift: 64 - n}
	for _, w := range words {
		token := string(w.token)
		if _, known := g.ids[token]; !known {
			ending := uint64(0)
			for _, c := range w.token[len(w.token)-width:] {
				ending = ending<<8 | uint64(c)
			}
			g.addLength(ending, len(token))
		}
		g.ids[token] = append(g.ids[token], w.id)
	}
	return g
}

func (g *wordGroup) addLength(ending uint64, length int) {
	for _, known := range g.lengths[ending] {
		if known == length {
			return
		}
	}
	g.lengths[ending] = append(g.lengths[ending], length)
	at := g.place(ending)
	g.filter[at>>6] |= 1 << (at & 63)
}

// place is the bit of an ending in the filter.
func (g *wordGroup) place(ending uint64) uint64 { return ending * 0x9e3779b97f4a7c15 >> g.shift }

func (g *wordGroup) find(text []byte, yield func(id string)) {
	ending := uint64(0)
	for i, c := range text {
		ending = (ending<<8 | uint64(c)) & g.mask
		at := g.place(ending)
		if g.filter[at>>6]&(1<<(at&63)) == 0 {
			continue
		}
		for _, length := range g.lengths[ending] {
			if from := i + 1 - length; from >= 0 {
				for _, id := range g.ids[string(text[from:i+1])] {
					yield(id)
				}
			}
		}
	}
}
