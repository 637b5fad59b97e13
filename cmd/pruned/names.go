package main

import (
	"context"
	"strings"
	"unicode"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// What people know files by is shown in results, and nowhere else: it is what users wrote,
// and belongs into no log and no error.

// maxName is how much of a name is shown where there is no column of its own for it.
const maxName = 48

// printableText makes a text of a user's harmless on a terminal, and at most so long; zero
// is no limit.
func printableText(text string, limit int) string {
	shown := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text))
	if limit > 0 && len(shown) > limit {
		shown = append(shown[:limit-1], '…')
	}
	return string(shown)
}

// showName is a name in a table of this command's.
func (c *command) showName(name string) string {
	if c.isWide() {
		return orDash(printableText(name, 0))
	}
	return orDash(printableText(name, maxName))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// objectTitle is the name that an object was uploaded under: the application puts the id
// of its file before it.
func objectTitle(path string) string {
	name := openwebui.BaseName(path)
	if id := openwebui.ObjectFile(name); id != "" {
		name = strings.TrimPrefix(name[len(id):], "_")
	}
	return name
}

// labels are what people know some files and their owners by.
type labels struct {
	files map[string]repo.FileLabel
	users map[string]string
}

// maxLabels bounds what is asked for in one statement.
const maxLabels = 500

// readLabels reads them. A list is worth something without names too: what fails is told,
// and left out.
func (a *app) readLabels(ctx context.Context, ids []string) labels {
	l := labels{map[string]repo.FileLabel{}, map[string]string{}}
	var owners []string
	for len(ids) > 0 {
		page := ids[:min(len(ids), maxLabels)]
		ids = ids[len(page):]
		files, err := a.db.LabelFiles(ctx, page)
		if err != nil {
			a.log.Warn().Err(err).Msg("files are shown without their names")
			return l
		}
		for id, label := range files {
			l.files[id] = label
			owners = append(owners, label.Owner)
		}
	}
	l.users = a.readUsers(ctx, owners)
	return l
}

// readUsers reads the names of users, as far as they can be read.
func (a *app) readUsers(ctx context.Context, ids []string) map[string]string {
	names := map[string]string{}
	seen, wanted := map[string]bool{"": true}, []string{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			wanted = append(wanted, id)
		}
	}
	if len(wanted) == 0 {
		return names
	}
	names, err := a.db.NameUsers(ctx, wanted)
	if err != nil {
		a.log.Warn().Err(err).Msg("users are shown without their names")
	}
	return names
}

// isOwner says whether a person means the owner of a file: by the id, or by the name in
// any case.
func (l labels) isOwner(fileID, user string) bool {
	label, there := l.files[fileID]
	return there && (label.Owner == user || strings.EqualFold(l.users[label.Owner], user))
}
