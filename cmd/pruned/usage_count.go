package main

import (
	"context"
	"errors"
	"fmt"

	"pruned/repo"
	"pruned/vectors"
)

// usageCount counts. Rows, links, collections and objects are streamed: what is kept is as
// much as there are users, knowledge bases, and contents that are there more than once.
type usageCount struct {
	a        *app
	progress func(stage string, done, total int64)
	hasUsers bool // there are rows of users, so that one without is gone

	users, knowledge           map[string]*ownerUse
	rows, textRows, text       int64
	missing, chunks, ownerless int64
	missingIDs                 []string
	repeats                    *repeats
	kinds                      []kindUsage
	gaps                       []notCounted
}

// Figures that may be missing.
const (
	figureDatabase  = "database"
	figureRows      = "rows"
	figureKnowledge = "knowledge"
	figureChunks    = "chunks"
	figureVectors   = "vectors"
	figureBytes     = "bytes"
	figureCache     = "cache"
)

// maxExamples bounds what is kept of ids, however many are asked for.
const maxExamples = 1000

// errCostly is why a store's chunks are not counted, which is no failure.
var errCostly = errors.New("the store would be asked about each collection alone")

func newUsageCount(a *app) *usageCount {
	return &usageCount{a: a, users: map[string]*ownerUse{}, knowledge: map[string]*ownerUse{}, repeats: newRepeats()}
}

// noteFailure notes why a figure is missing, if there is a reason; the first counts.
func (c *usageCount) noteFailure(figure string, err error) {
	if err != nil && !c.isMissing(figure) {
		failed := !errors.Is(err, errCostly) && !errors.Is(err, repo.ErrNoLinks)
		c.gaps = append(c.gaps, notCounted{Figure: figure, Why: err.Error(), failed: failed})
	}
}

func (c *usageCount) isMissing(figure string) bool {
	for _, gap := range c.gaps {
		if gap.Figure == figure {
			return true
		}
	}
	return false
}

// countAll counts everything. It fails where the database does, by which all else is known.
func (c *usageCount) countAll(ctx context.Context, cache repo.Cache) error {
	for _, count := range []func(context.Context) error{c.countOwners, c.countRows, c.countKnowledge, c.countRepeated, c.countChunks} {
		if err := count(ctx); err != nil {
			return err
		}
	}
	c.measureDatabase(ctx)
	c.measureVectors(ctx)
	c.countObjects(ctx)
	c.countCache(ctx, cache)
	return nil
}

func (c *usageCount) countOwners(ctx context.Context) error {
	users, knowledge, err := c.a.db.ListOwners(ctx)
	c.hasUsers = len(users) > 0
	for _, o := range users {
		c.users[o.ID] = &ownerUse{Owner: o}
	}
	for _, o := range knowledge {
		c.knowledge[o.ID] = &ownerUse{Owner: o, isKnowledge: true}
	}
	return err
}

// userOf also counts for users who are gone, and for nobody.
func (c *usageCount) userOf(id string) *ownerUse {
	if c.users[id] == nil {
		c.users[id] = &ownerUse{Owner: repo.Owner{ID: id}, gone: id != "" && c.hasUsers}
	}
	return c.users[id]
}

const reportEvery = 1000

func (c *usageCount) countRows(ctx context.Context) error {
	for f, err := range c.a.db.ListStored(ctx) {
		if err != nil {
			return err
		}
		c.rows++
		c.text += f.TextBytes
		if f.TextBytes > 0 {
			c.textRows++
		}
		c.repeats.noteHash(f.Hash)
		bytes, isMissing := c.lookAt(ctx, f)
		if isMissing {
			c.missing++
			if len(c.missingIDs) < maxExamples {
				c.missingIDs = append(c.missingIDs, f.ID)
			}
		}
		c.userOf(f.UserID).addFile(f, bytes, isMissing)
		if c.rows%reportEvery == 0 {
			c.progress("rows of file", c.rows, 0)
		}
	}
	return nil
}

// lookAt tells what the bytes take that a row names. One that names none misses none.
func (c *usageCount) lookAt(ctx context.Context, f repo.StoredFile) (bytes int64, isMissing bool) {
	if c.isMissing(figureBytes) {
		return 0, false
	}
	name := c.a.blobs.NameOf(f.Path)
	if name == "" {
		return 0, false
	}
	blob, there, err := c.a.blobs.Stat(ctx, name)
	if err != nil && !errors.Is(err, repo.ErrOutside) {
		c.noteFailure(figureBytes, err)
		return 0, false
	}
	return blob.Allocated, !there
}

func (o *ownerUse) addFile(f repo.StoredFile, bytes int64, isMissing bool) {
	o.files++
	o.bytes += bytes
	o.text += f.TextBytes
	if isMissing {
		o.missing++
	}
}

// countKnowledge counts a file in each knowledge base that it is in.
func (c *usageCount) countKnowledge(ctx context.Context) error {
	done := int64(0)
	for f, err := range c.a.db.ListKnowledgeFiles(ctx) {
		if errors.Is(err, repo.ErrNoLinks) {
			c.noteFailure(figureKnowledge, err)
			return nil
		}
		if err != nil {
			return err
		}
		if k := c.knowledge[f.KnowledgeID]; k != nil {
			bytes, isMissing := c.lookAt(ctx, f.StoredFile)
			k.addFile(f.StoredFile, bytes, isMissing)
		}
		if done++; done%reportEvery == 0 {
			c.progress("files of knowledge bases", done, 0)
		}
	}
	return nil
}

// countRepeated goes through the rows again only where there may be contents that
// several have.
func (c *usageCount) countRepeated(ctx context.Context) error {
	if !c.repeats.any {
		return nil
	}
	for f, err := range c.a.db.ListStored(ctx) {
		if err != nil {
			return err
		}
		if c.repeats.maybeRepeated(f.Hash) {
			bytes, _ := c.lookAt(ctx, f)
			c.repeats.addFile(f, bytes)
		}
	}
	return nil
}

// measureDatabase tells of the parts of the database, too.
func (c *usageCount) measureDatabase(ctx context.Context) {
	size, err := c.a.db.MeasureDatabase(ctx)
	c.noteFailure(figureDatabase, err)
	whole := kindUsage{Kind: "database", Where: size.Where}
	rows := kindUsage{Kind: "rows", In: "database", Count: &c.rows, Unit: "rows", Where: "table file with its indexes, but for the texts"}
	if err == nil {
		whole.Bytes = &size.Bytes
		if size.NotMeasured == "" {
			beside := max(size.FileBytes-c.text, 0)
			rows.Bytes = &beside
		} else {
			c.gaps = append(c.gaps, notCounted{Figure: figureRows, Why: size.NotMeasured})
		}
	}
	c.kinds = append(c.kinds, whole, rows,
		kindUsage{Kind: "texts", In: "database", Count: &c.textRows, Unit: "rows", Bytes: &c.text, Where: "what was read out of files: column data of table file"})
}

// measureVectors tells of nothing where there is no store.
func (c *usageCount) measureVectors(ctx context.Context) {
	if _, none := c.a.store.(vectors.None); none {
		return
	}
	chunks, folders := kindUsage{Kind: "chunks", Unit: "chunks"}, kindUsage{Kind: "folders", Unit: "folders", Where: "indexes of vectors, beside the chunks"}
	if !c.isMissing(figureChunks) {
		chunks.Count = &c.chunks
	}
	if measured, is := c.a.store.(vectors.Measured); is {
		disk, err := measured.MeasureDisk(ctx)
		c.noteFailure(figureVectors, err)
		chunks.Where = disk.Where
		if err == nil {
			chunks.Bytes, folders.Count, folders.Bytes = &disk.Bytes, &disk.Folders, &disk.FolderBytes
		}
	}
	if c.a.store != nil && c.a.store.Info().InDatabase {
		chunks.In = "database"
	}
	c.kinds = append(c.kinds, chunks)
	if chunks.In == "" {
		c.kinds = append(c.kinds, folders)
	}
}

// countObjects counts what is named after a file, whether or not that has a row.
func (c *usageCount) countObjects(ctx context.Context) {
	kind := kindUsage{Kind: "bytes", Unit: "objects"}
	var count, bytes int64
	if c.a.blobs != nil {
		kind.Where = placeOf(c.a.blobs.Info())
		for o, err := range c.a.blobs.List(ctx) {
			if err != nil {
				c.noteFailure(figureBytes, err)
				break
			}
			bytes += o.Allocated
			if count++; count%reportEvery == 0 {
				c.progress("objects", count, 0)
			}
		}
	}
	if !c.isMissing(figureBytes) {
		kind.Count, kind.Bytes = &count, &bytes
	}
	c.kinds = append(c.kinds, kind)
}

// countCache counts what sweeps may remove if an age is set.
func (c *usageCount) countCache(ctx context.Context, cache repo.Cache) {
	kind := kindUsage{Kind: "cache", Unit: "files", Where: "speech and recordings"}
	found, err := cache.CountOld(ctx, 0)
	if err == nil && found.Failed > 0 {
		err = fmt.Errorf("%d cannot be looked at: %s", found.Failed, found.Failure)
	}
	c.noteFailure(figureCache, err)
	if err == nil {
		kind.Count, kind.Bytes = &found.Files, &found.Bytes
	}
	c.kinds = append(c.kinds, kind)
}
