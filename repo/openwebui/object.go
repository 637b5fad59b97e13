package openwebui

import (
	"strings"

	"pruned/repo/mention"
)

const uuidLen = 36

// ObjectFile is the id of the file that a stored object is named after, as written, or
// empty: {uuid}_{name}, {uuid}.{ext} or {uuid} (routers/files.py).
func ObjectFile(name string) (id string) {
	if len(name) < uuidLen || len(name) > uuidLen && name[uuidLen] != '_' && name[uuidLen] != '.' {
		return ""
	}
	if id := name[:uuidLen]; mention.IsUUID(mention.Token(id)) {
		return id
	}
	return ""
}

// BaseName is the last part of a path that the application stored, which is how
// it finds the object itself, whatever folder the path names. Empty where the
// path has none.
func BaseName(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}
