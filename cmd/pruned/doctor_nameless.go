package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"pruned/consumer/sweep"
	"pruned/vectors"
)

// maxNamelessNamed bounds how many collections a finding names.
const maxNamelessNamed = 5

// namelessFindings tells of chunks in knowledge bases that name no file: nobody can say
// whose they are, so they stay as long as their collection.
func namelessFindings(ctx context.Context, a *app) []finding {
	store, ok := a.store.(vectors.CollectionStore)
	if !ok {
		return nil
	}
	counts, err := countNameless(ctx, store)
	if err != nil || len(counts) == 0 {
		return nil // what is wrong with the store another line says
	}
	names, chunks := make([]string, 0, len(counts)), int64(0)
	for name, n := range counts {
		names, chunks = append(names, name), chunks+n
	}
	slices.Sort(names)
	if len(names) > maxNamelessNamed {
		names = append(names[:maxNamelessNamed], "...")
	}
	return []finding{{Check: "chunks", OK: true, Warn: true,
		Detail: sweep.FormatCount(chunks, "chunks without a file's id in knowledge bases: ") + "nobody can tell whose, so that they stay as long as their collection: " + strings.Join(names, ", "),
		Remedy: "reindex knowledge bases in Open WebUI (Admin Settings > Documents), which makes their collections anew"}}
}

// countNameless counts them by collection. What is written between two listings would seem
// to name no file, so that what a first look finds is looked at again.
func countNameless(ctx context.Context, store vectors.CollectionStore) (map[string]int64, error) {
	var knowledge []string
	for c, err := range store.ListCollections(ctx) {
		if err != nil {
			return nil, err
		}
		if vectors.IsKnowledge(c.Name) {
			knowledge = append(knowledge, c.Name)
		}
	}
	first, err := countNamelessIn(ctx, store, knowledge)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	second, err := countNamelessIn(ctx, store, slices.Collect(maps.Keys(first)))
	for name, n := range second {
		second[name] = min(n, first[name])
	}
	return second, err
}

// countNamelessIn counts the points of collections, less those that are chunks of files.
func countNamelessIn(ctx context.Context, store vectors.CollectionStore, knowledge []string) (map[string]int64, error) {
	counts := map[string]int64{}
	for p, err := range store.ListPoints(ctx, knowledge) {
		if err != nil {
			return nil, err
		}
		counts[p.Collection]++
	}
	for c, err := range store.ListChunks(ctx, knowledge, nil) {
		if err != nil {
			return nil, err
		}
		counts[c.Collection]--
	}
	maps.DeleteFunc(counts, func(_ string, n int64) bool { return n <= 0 })
	return counts, nil
}
