package main

import (
	"bufio"
	"bytes"
	graphics "image"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// store gives a file other bytes, and no text.
func (s *pageSite) store(t *testing.T, id, content string) (path string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.uploads(), id+"*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.NoError(t, os.WriteFile(found[0], []byte(content), 0o600))
	s.exec(t, `UPDATE file SET data = '{}' WHERE id = $1`, id)
	return found[0]
}

func picture(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, png.Encode(&text, graphics.NewGray(graphics.Rect(0, 0, 40, 30))))
	return text.String()
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`

func showPath(id string) string  { return "/unused/show?" + url.Values{"id": {id}}.Encode() }
func imagePath(id string) string { return "/unused/image?" + url.Values{"id": {id}}.Encode() }

// refused says that a path is answered with 404, and with nothing of a file.
func (v *visitor) refused(t *testing.T, path string) {
	t.Helper()
	response, body := v.send(t, http.MethodGet, path, nil)
	require.Equal(t, http.StatusNotFound, response.StatusCode, "%s: %s", path, body)
	require.NotContains(t, body, "secret", path)
	require.NotContains(t, body, "PNG", path)
}

// Of what is unused it is shown how it begins, to whoever is signed in: a line, or an image
// that runs nothing; of all else nothing.
func TestPageShowsHowFilesBegin(t *testing.T) {
	t.Parallel()
	onPageSites(t, 60, 40, func(t *testing.T, s *pageSite) {
		shown := picture(t)
		text, plain, named, drawn, large, binary, linked, mentioned, kept := s.orphans[0], s.orphans[1], s.orphans[2], s.orphans[3], s.orphans[4], s.orphans[5], s.orphans[6], s.orphans[7], s.orphans[8]
		s.exec(t, `UPDATE file SET data = '{"content": "\n <b>One</b> & more\nsecret"}' WHERE id = $1`, text)
		s.store(t, plain, "\ufeff\n"+strings.Repeat("é", 300)+"\nsecret")
		s.store(t, named, shown)
		s.exec(t, `UPDATE file SET filename = '"><script>alert(1)</script>.svg' WHERE id = $1`, named)
		s.store(t, drawn, drawing)
		s.store(t, large, shown+strings.Repeat("\x00", 5<<20))
		s.store(t, binary, "\x00\x01secret")
		outside := filepath.Join(t.TempDir(), "outside.png")
		require.NoError(t, os.WriteFile(outside, []byte(shown), 0o600))
		link := s.store(t, linked, "")
		require.NoError(t, os.Remove(link))
		require.NoError(t, os.Symlink(outside, link))
		s.exec(t, `UPDATE file SET path = $1 WHERE id = $2`, outside, linked)
		for _, id := range []string{mentioned, kept, s.used[0]} {
			s.store(t, id, shown)
		}
		v := visit(t, s.start(t))
		for _, path := range []string{showPath(text), imagePath(named)} {
			response, _ := v.send(t, http.MethodGet, path, nil, "Accept", "*/*")
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, path)
		}
		v.signIn(t, "Ann")
		v.shows(t, "/held", "Held under")
		require.Contains(t, v.see(t, "/unused?direction=row"), `href="`+showPath(text)+`"`)
		require.Contains(t, v.see(t, "/file?id="+text), showPath(text))

		about := v.see(t, showPath(text))
		require.Contains(t, about, "<pre>&lt;b&gt;One&lt;/b&gt; &amp; more</pre>")
		require.NotContains(t, about, "secret")
		require.Contains(t, v.see(t, showPath(plain)), "<pre>"+strings.Repeat("é", 199)+"…</pre>")
		require.Contains(t, v.see(t, showPath(named)), `src="`+imagePath(named)+`" alt="The image &#34;&gt;&lt;script&gt;`)
		response, body := v.send(t, http.MethodGet, imagePath(named), nil)
		require.Equal(t, http.StatusOK, response.StatusCode, body)
		require.Equal(t, shown, body)
		for name, want := range map[string]string{"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Cache-Control": "private, no-store"} {
			require.Equal(t, []string{want}, response.Header.Values(name))
		}
		require.Contains(t, v.see(t, showPath(drawn)), "<pre>&lt;svg xmlns=")
		require.Contains(t, v.see(t, showPath(large)), "an image of more than 5.0 MiB")
		require.Contains(t, v.see(t, showPath(binary)), "neither a text nor an image")
		require.Contains(t, v.see(t, showPath(linked)), "its bytes are not there")

		s.exec(t, `UPDATE "user" SET profile_image_url = $1 WHERE id = 'alice'`, "/api/v1/files/"+mentioned+"/content")
		v.act(t, "/kept/add", url.Values{"id": {kept}})
		for _, id := range []string{s.used[0], mentioned, kept, "nobody", "", "a\x00b", "../" + filepath.Base(outside), outside} {
			v.refused(t, showPath(id))
			v.refused(t, imagePath(id))
		}
		for _, id := range []string{text, plain, drawn, large, binary, linked} {
			v.refused(t, imagePath(id))
		}
		require.NotContains(t, v.see(t, "/file?id="+s.used[0]), "/unused/show")
	})
}

// In a bucket are the bytes of the object, not of a copy in the upload folder.
func TestPageShowsHowObjectsBegin(t *testing.T) {
	t.Parallel()
	i := install(t).with("PRUNED_ADMIN_TOKEN=" + adminToken)
	seeded := i.seed(t, 60, 40)
	id := seeded.Orphans[0]
	shown := picture(t)
	found, err := filepath.Glob(filepath.Join(i.uploads(), id+"*"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(found[0], []byte(shown), 0o600))
	b, _ := i.bucketOf(t, "s3")
	require.NoError(t, os.WriteFile(found[0], []byte("a copy"), 0o600))
	v := visit(t, b.start(t))
	v.signIn(t, "Ann")
	v.shows(t, "/held", "Held under")
	require.Contains(t, v.see(t, showPath(id)), imagePath(id))
	response, body := v.send(t, http.MethodGet, imagePath(id), nil)
	require.Equal(t, http.StatusOK, response.StatusCode, body)
	require.Equal(t, shown, body)
}

// The last lines of the log are on the live view, and among the figures that move.
func TestPageShowsTheLog(t *testing.T) {
	t.Parallel()
	onPageSites(t, 4, 0, func(t *testing.T, s *pageSite) {
		v := visit(t, s.start(t))
		v.signIn(t, "Ann")
		require.Contains(t, v.see(t, "/live"), "info  somebody signed in to the page from=127.0.0.1:")
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/live/events", nil)
		require.NoError(t, err)
		response, err := v.client.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "somebody signed in to the page")
		require.NotContains(t, line, adminToken)
	})
}
