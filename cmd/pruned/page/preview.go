package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pruned/repo"
)

// preview is how an unused file begins, as far as that can be shown.
type preview struct {
	ID, Name string
	Line     string // its first line of text
	Image    bool   // its bytes are an image that browsers show
	Why      string // why there is neither
}

const (
	maxLine  = 200     // characters of a text that are shown
	maxImage = 5 << 20 // bytes of an image that is shown
	// headLength is how much is read to see what bytes are.
	headLength = 4 << 10
)

// shownImages are those that browsers show and that run nothing.
var shownImages = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

var errNoPreview = errors.New("nothing of this id is unused now, and of nothing else is shown how it begins")

func readPreview(ctx context.Context, _ *Page, open *Open, r *http.Request) (any, error) {
	u, err := findUnused(ctx, open, r.URL.Query().Get("id"))
	if err != nil {
		return nil, err
	}
	text, err := open.DB.ReadText(ctx, u.FileID)
	if err != nil {
		return nil, err
	}
	v := &preview{ID: u.FileID, Name: u.Name, Line: firstLine(text)}
	return v, v.readBytes(ctx, open)
}

// readBytes tells what the bytes show.
func (v *preview) readBytes(ctx context.Context, open *Open) error {
	o, err := openObject(ctx, open, v.ID)
	if err != nil {
		return err
	}
	if o == nil {
		v.Why = "No text was extracted from it, and its bytes are not there."
		return nil
	}
	defer o.content.Close()
	switch {
	case o.image != "" && o.Size <= maxImage:
		v.Image = true
	case o.image != "":
		v.Why = "It is an image of more than " + bytesOf(maxImage) + "."
	case v.Line == "" && isText(o.head):
		v.Line = firstLine(string(o.head))
	}
	v.Why = cmp.Or(v.Why, "It holds neither a text nor an image that can be shown: PNG, JPEG, GIF or WebP.")
	return nil
}

// findUnused is what a sweep found of a file that still nothing uses; errNoPreview where it
// found none, or something uses it by now.
func findUnused(ctx context.Context, open *Open, id string) (repo.Unused, error) {
	if id == "" || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return repo.Unused{}, errNoPreview
	}
	found, _, err := open.DB.ListUnused(ctx, open.Ages, repo.UnusedFilter{ID: id, Limit: pageLength})
	if err != nil {
		return repo.Unused{}, err
	}
	i := slices.IndexFunc(found, func(u repo.Unused) bool { return hasPreview(u.Direction) })
	if i < 0 {
		return repo.Unused{}, errNoPreview
	}
	used, err := isUsed(ctx, open, id)
	if err == nil && used {
		err = errNoPreview
	}
	return found[i], err
}

// hasPreview says whether what was found there is a file.
func hasPreview(d repo.Direction) bool { return d == repo.FromRows || d == repo.FromBytes }

// isUsed says whether anything mentions a file, or somebody keeps it.
func isUsed(ctx context.Context, open *Open, id string) (used bool, err error) {
	if err := open.DB.IndexFiles(ctx, []string{id}, nil); err != nil {
		return false, err
	}
	err = open.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		mentions, err := open.DB.ListReferences(ctx, tx, id)
		used = len(mentions) > 0
		return err
	})
	kept, failed := keepsOf(ctx, open, []string{id})
	return used || len(kept) > 0, errors.Join(err, failed)
}

// object are the bytes of a file, with how they begin.
type object struct {
	repo.Blob
	head    []byte
	image   string        // type of an image that may be shown
	content io.ReadCloser // what follows head
}

// openObject opens the bytes of a file; nil where there are none. They are found by its id:
// a path that somebody wrote into its row may be another's.
func openObject(ctx context.Context, open *Open, id string) (*object, error) {
	found, err := open.Blobs.Find(ctx, []string{id})
	if err != nil || len(found[id]) == 0 {
		return nil, err
	}
	o := &object{Blob: slices.MinFunc(found[id], func(a, b repo.Blob) int { return cmp.Compare(a.Name, b.Name) })}
	if o.content, err = open.Blobs.Open(ctx, o.Name); err != nil || o.content == nil {
		return nil, err
	}
	if o.head, err = io.ReadAll(io.LimitReader(o.content, headLength)); err != nil {
		return nil, errors.Join(fmt.Errorf("read how a file begins: %w", err), o.content.Close())
	}
	if kind := http.DetectContentType(o.head); slices.Contains(shownImages, kind) {
		o.image = kind
	}
	return o, nil
}

// isText takes only what is no other encoding.
func isText(head []byte) bool {
	kind := http.DetectContentType(head)
	return strings.HasPrefix(kind, "text/") && strings.HasSuffix(kind, "charset=utf-8")
}

// firstLine is the first line that has something to read, cut.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = readableLine(strings.ToValidUTF8(line, "")); line != "" {
			return cut(maxLine, line)
		}
	}
	return ""
}

// readable leaves out what is no sign, such as marks that turn the direction of a text.
func readable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return -1
}

// serveImage sends an image, and nothing that is none.
func serveImage(p *Page, w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(readTimeout + answerTimeout)) // else it is the server's
	ctx, cancel := context.WithTimeout(r.Context(), readTimeout)
	defer cancel()
	o, err := p.openImage(ctx, r.URL.Query().Get("id"))
	if err != nil {
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	defer o.content.Close()
	w.Header().Set("Content-Type", o.image)
	w.Header().Set("Content-Length", strconv.FormatInt(o.Size, 10))
	w.Header().Set("Content-Security-Policy", "sandbox")
	w.Header().Set("Cache-Control", "private, no-store")
	_, err = w.Write(o.head)
	if err == nil {
		_, err = io.CopyN(w, o.content, o.Size-int64(len(o.head)))
	}
	if err != nil {
		panic(http.ErrAbortHandler) // so that nobody takes it for the whole
	}
}

// openImage opens the bytes of an unused image that may be shown.
func (p *Page) openImage(ctx context.Context, id string) (*object, error) {
	open, err := p.Open()
	if err != nil {
		return nil, err
	}
	if _, err = findUnused(ctx, open, id); err != nil {
		return nil, err
	}
	o, err := openObject(ctx, open, id)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, errNoPreview
	case o.image == "" || o.Size > maxImage || o.Size < int64(len(o.head)):
		return nil, errors.Join(errNoPreview, o.content.Close())
	}
	return o, nil
}
