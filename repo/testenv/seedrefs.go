package testenv

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"

	"github.com/jackc/pgx/v5"
)

// seedReferences puts every file to use, and returns the knowledge base that
// some of them are in, with those.
func seedReferences(ctx context.Context, db copier, o SeedOptions, files []string) (knowledgeID string, inKnowledge []string, err error) {
	ways := deal(files, 5)
	chatted, linked, inKnowledge, noted, modelled := ways[0], ways[1], ways[2], ways[3], ways[4]
	if err := seedChats(ctx, db, o, slices.Concat(chatted, linked), linked); err != nil {
		return "", nil, err
	}
	notes := slices.Collect(slices.Chunk(noted, filesPerChat))
	if err := noteTable.copy(ctx, db, generated(len(notes), func(i int) []any { return noteRow(notes[i]) })); err != nil {
		return "", nil, err
	}
	models := slices.Collect(slices.Chunk(modelled, filesPerChat))
	if err := modelTable.copy(ctx, db, generated(len(models), func(i int) []any { return modelRow(models[i]) })); err != nil {
		return "", nil, err
	}
	knowledgeID = NewID()
	if err := knowledgeTable.copy(ctx, db, pgx.CopyFromRows([][]any{knowledgeRow(knowledgeID)})); err != nil {
		return "", nil, err
	}
	links := generated(len(inKnowledge), func(i int) []any { return knowledgeFileRow(knowledgeID, inKnowledge[i]) })
	return knowledgeID, inKnowledge, knowledgeFileTable.copy(ctx, db, links)
}

// seedChats makes chats that mention the files, and links those of linked too.
func seedChats(ctx context.Context, db copier, o SeedOptions, files, linked []string) error {
	chatOf := make(map[string]string, len(files))
	mentions := slices.Collect(slices.Chunk(files, filesPerChat))
	chats := generated(max(o.Chats, len(mentions)), func(i int) []any {
		chat := Chat{ID: NewID(), Content: randomText(o.ChatBytes)}
		if i < len(mentions) {
			chat.Files = mentions[i]
		}
		for _, file := range chat.Files {
			chatOf[file] = chat.ID
		}
		return chat.complete().row()
	})
	if err := chatTable.copy(ctx, db, chats); err != nil {
		return err
	}
	return chatFileTable.copy(ctx, db, generated(len(linked), func(i int) []any {
		return linkRow(chatOf[linked[i]], linked[i])
	}))
}

// deal gives each of n hands every nth file.
func deal(files []string, n int) [][]string {
	hands := make([][]string, n)
	for i, file := range files {
		hands[i%n] = append(hands[i%n], file)
	}
	return hands
}

// randomText does not compress, like the text of many different people.
func randomText(size int) string {
	content := make([]byte, size*3/4)
	_, _ = rand.Read(content) // never fails
	return base64.StdEncoding.EncodeToString(content)
}
