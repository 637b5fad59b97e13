package main

import (
	"context"

	"pruned/vectors"
)

// ownersAtOnce bounds how many files the database is asked about.
const ownersAtOnce = 1000

// countChunks counts each collection for the one whose it is: a file's own for the file's
// user, a knowledge base's for that and for its user, memories for theirs.
func (c *usageCount) countChunks(ctx context.Context) error {
	if c.isMissing(figureChunks) {
		return nil
	}
	if _, none := c.a.store.(vectors.None); none {
		return nil
	}
	store, is := c.a.store.(vectors.Measured)
	if !is {
		c.noteFailure(figureChunks, errCostly)
		return nil
	}
	own, done := map[string]int64{}, int64(0)
	for collection, err := range store.CountChunks(ctx) {
		if err != nil {
			c.noteFailure(figureChunks, err)
			return nil
		}
		c.chunks += collection.Chunks
		if id, is := vectors.CollectionOwner(collection.Name); is {
			own[id] += collection.Chunks
		} else {
			c.addCollection(collection)
		}
		if len(own) == ownersAtOnce {
			if err := c.addOwnCollections(ctx, own); err != nil {
				return err
			}
		}
		if done++; done%reportEvery == 0 {
			c.progress("collections", done, 0)
		}
	}
	return c.addOwnCollections(ctx, own)
}

// addOwnCollections counts those of files for their users, and forgets them.
func (c *usageCount) addOwnCollections(ctx context.Context, own map[string]int64) error {
	ids := make([]string, 0, len(own))
	for id := range own {
		ids = append(ids, id)
	}
	users, err := c.a.db.FindFileUsers(ctx, ids)
	if err != nil {
		return err
	}
	for id, chunks := range own {
		if user, there := users[id]; there {
			c.userOf(user).chunks += chunks
		} else {
			c.ownerless += chunks
		}
	}
	clear(own)
	return nil
}

// addCollection counts one that is no single file's.
func (c *usageCount) addCollection(collection vectors.Collection) {
	id, isMemory := vectors.MemoryOwner(collection.Name)
	switch knowledge := c.knowledge[collection.Name]; {
	case knowledge != nil:
		knowledge.chunks += collection.Chunks
		c.userOf(knowledge.UserID).chunks += collection.Chunks
	case isMemory && c.users[id] != nil:
		c.users[id].chunks += collection.Chunks
	case collection.Name == vectors.KnowledgeNames: // nobody's, and in use
	default:
		c.ownerless += collection.Chunks
	}
}
