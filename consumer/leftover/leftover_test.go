package leftover_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/leftover"
	"pruned/repo"
	"pruned/vectors"
)

const (
	user      = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	knowledge = "7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34"
)

// A name is read back as it was written, and what is not Open WebUI's is none.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		d    repo.Direction
		want leftover.Leftover
	}{
		{"user-memory-" + user, repo.FromCollections, leftover.Leftover{Collection: "user-memory-" + user}},
		{"user-memory-a/b", repo.FromCollections, leftover.Leftover{Collection: "user-memory-a/b"}},
		{"web-search-" + user + "-0a", repo.FromCollections, leftover.Leftover{Collection: "web-search-" + user + "-0a"}},
		{knowledge, repo.FromCollections, leftover.Leftover{Collection: knowledge}},
		{"user-memory-" + user + "/m", repo.FromPoints, leftover.Leftover{Collection: "user-memory-" + user, Point: "m"}},
		{"user-memory-a/b/m", repo.FromPoints, leftover.Leftover{Collection: "user-memory-a/b", Point: "m"}},
		{"knowledge-bases/" + knowledge, repo.FromPoints, leftover.Leftover{Collection: "knowledge-bases", Point: knowledge}},
		{knowledge + "/" + user + ":3-00ff", repo.FromPoints, leftover.Leftover{Collection: knowledge, Point: user + ":3-00ff"}},
	} {
		l, ok := leftover.Parse(c.name, c.d)
		require.True(t, ok, c.name)
		require.Equal(t, c.want, l)
		require.Equal(t, c.name, l.Name())
		require.Equal(t, c.d, l.Direction())
	}
	for name, d := range map[string]repo.Direction{
		"": repo.FromCollections, "knowledge-bases": repo.FromCollections, "file-" + user: repo.FromCollections, "web-search-": repo.FromCollections,
		"user-memory-": repo.FromCollections, "company-wiki": repo.FromCollections, "user-memory-" + user: repo.FromPoints, "knowledge-bases/": repo.FromPoints,
		"/m": repo.FromPoints, "company-wiki/m": repo.FromPoints, knowledge + "/m": repo.FromPoints,
		knowledge + "/:3-00ff": repo.FromPoints, knowledge + "/m:": repo.FromPoints, "company-wiki/m:3-00ff": repo.FromPoints, strings.Repeat("a", 63) + "/m:3-00ff": repo.FromPoints,
	} {
		_, ok := leftover.Parse(name, d)
		require.False(t, ok, "%s %q", d, name)
	}
}

// rows are those of the application's tables.
type rows map[string][]string

func (r rows) FindMissingRows(_ context.Context, _ repo.Tx, table string, ids []string) (missing []string, _ error) {
	there := map[string]bool{}
	for _, id := range r[table] {
		there[id] = true
	}
	for _, id := range ids {
		if !there[id] {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

func (r rows) FindNamingFiles(_ context.Context, _ repo.Tx, names []string) (map[string]string, error) {
	files := map[string]string{}
	for _, name := range names {
		for _, file := range r[name] {
			files[name] = file
		}
	}
	return files, nil
}

func (r rows) HasUsers(context.Context, repo.Tx) (bool, error) { return len(r["user"]) > 0, nil }

// Each is kept by what it lives by, and by nothing else: a user of the same id as a memory
// keeps no memory.
func TestFindUses(t *testing.T) {
	t.Parallel()
	memory, other := leftover.Leftover{Collection: "user-memory-" + user}, leftover.Leftover{Collection: "user-memory-other"}
	search, unknown := leftover.Leftover{Collection: "web-search-a"}, leftover.Leftover{Collection: "web-search-b"}
	base, digest := leftover.Leftover{Collection: knowledge}, leftover.Leftover{Collection: strings.Repeat("a", 63)}
	point, lost := leftover.Leftover{Collection: memory.Collection, Point: "m"}, leftover.Leftover{Collection: memory.Collection, Point: user}
	entry, gone := leftover.Leftover{Collection: vectors.KnowledgeNames, Point: knowledge}, leftover.Leftover{Collection: vectors.KnowledgeNames, Point: "m"}
	list := []leftover.Leftover{memory, other, search, unknown, base, digest, point, lost, entry, gone}
	require.Equal(t, []string{"web-search-a", "web-search-b", knowledge, digest.Collection}, leftover.Names(list))

	db := rows{"user": {user}, "memory": {"m"}, "knowledge": {knowledge}, digest.Collection: {"f"}, knowledge: {"f"}}
	found := repo.References{Referenced: map[string]repo.Reference{"web-search-a": {Table: "chat", Row: "c"}}, Unknown: map[string]bool{"web-search-b": true}}
	uses, err := leftover.FindUses(t.Context(), db, nil, list, found)
	require.NoError(t, err)
	require.Equal(t, map[leftover.Leftover]leftover.Use{
		memory: {Reference: repo.Reference{Table: "user", Row: user}}, other: {},
		search: {Reference: repo.Reference{Table: "chat", Row: "c"}}, unknown: {Unknown: true}, base: {},
		digest: {Reference: repo.Reference{Table: "file", Row: "f", Column: "meta"}},
		point:  {Reference: repo.Reference{Table: "memory", Row: "m"}}, lost: {},
		entry: {Reference: repo.Reference{Table: "knowledge", Row: knowledge}}, gone: {},
	}, uses)
}

// While a backup is restored rows are missing that may come.
func TestFindUsesWithoutUsers(t *testing.T) {
	t.Parallel()
	list := []leftover.Leftover{{Collection: "user-memory-" + user}, {Collection: "web-search-a"}, {Collection: vectors.KnowledgeNames, Point: "k"}}
	uses, err := leftover.FindUses(t.Context(), rows{"knowledge": {"k"}}, nil, list, repo.References{})
	require.NoError(t, err)
	require.Equal(t, map[leftover.Leftover]leftover.Use{
		list[0]: {Restored: true}, list[1]: {}, list[2]: {Reference: repo.Reference{Table: "knowledge", Row: "k"}},
	}, uses)
}
