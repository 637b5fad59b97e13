package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"slices"

	"pruned/repo"
)

// repeats finds the contents that several rows have, by their hashes, in two passes. The
// first keeps two bits for each of so many numbers, that a hash was seen, and that it was
// seen again; the second keeps the contents that were seen again, or share their number.
type repeats struct {
	seed       maphash.Seed
	once, more []uint64
	any        bool
	found      map[string]*content
}

// repeatNumbers take 8 MiB; of a million different hashes they let 3 in 100 by.
const repeatNumbers = 1 << 25

// content is what several rows have in common.
type content struct {
	rows, bytes, largest int64
	files                []string
}

// filesPerContent is how many of its files are named.
const filesPerContent = 3

// hashOfNothing is that of a file that nothing was read out of.
var hashOfNothing = func() string {
	sum := sha256.Sum256(nil)
	return hex.EncodeToString(sum[:])
}()

func newRepeats() *repeats {
	return &repeats{seed: maphash.MakeSeed(), once: make([]uint64, repeatNumbers/64), more: make([]uint64, repeatNumbers/64), found: map[string]*content{}}
}

// bitOf is where a hash has its bits.
func (r *repeats) bitOf(hash string) (word int, bit uint64) {
	number := maphash.String(r.seed, hash) % repeatNumbers
	return int(number / 64), 1 << (number % 64)
}

func tellsContent(hash string) bool { return hash != "" && hash != hashOfNothing }

func (r *repeats) noteHash(hash string) {
	if !tellsContent(hash) {
		return
	}
	word, bit := r.bitOf(hash)
	if r.once[word]&bit != 0 {
		r.more[word] |= bit
		r.any = true
	}
	r.once[word] |= bit
}

func (r *repeats) maybeRepeated(hash string) bool {
	word, bit := r.bitOf(hash)
	return tellsContent(hash) && r.more[word]&bit != 0
}

func (r *repeats) addFile(f repo.StoredFile, bytes int64) {
	one := r.found[f.Hash]
	if one == nil {
		one = &content{}
		r.found[f.Hash] = one
	}
	one.rows++
	one.bytes += bytes
	one.largest = max(one.largest, bytes)
	if len(one.files) < filesPerContent {
		one.files = append(one.files, f.ID)
	}
}

// repeated are contents that are stored more than once. They are told, and never touched:
// each row is in use by itself.
type repeated struct {
	Contents int64             `json:"contents"`
	Rows     int64             `json:"rows"`
	Bytes    *int64            `json:"extra_bytes"` // that all but the largest of each take
	Examples []repeatedContent `json:"examples"`
}

type repeatedContent struct {
	Hash  string   `json:"hash"`
	Rows  int64    `json:"rows"`
	Bytes *int64   `json:"extra_bytes"`
	Files []string `json:"files"` // ids of the first
}

// toReport lists the contents whose copies take most.
func (r *repeats) toReport(limit int, hasBytes bool) *repeated {
	report, all, bytes := &repeated{}, []repeatedContent{}, int64(0)
	for hash, one := range r.found {
		if one.rows < 2 {
			continue
		}
		extra := one.bytes - one.largest
		report.Contents++
		report.Rows += one.rows
		bytes += extra
		all = append(all, repeatedContent{hash, one.rows, &extra, one.files})
	}
	slices.SortFunc(all, func(a, b repeatedContent) int {
		return cmp.Or(cmp.Compare(*b.Bytes, *a.Bytes), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Hash, b.Hash))
	})
	report.Examples = firstOf(limit, all)
	if hasBytes {
		report.Bytes = &bytes
		return report
	}
	for i := range report.Examples {
		report.Examples[i].Bytes = nil
	}
	return report
}
