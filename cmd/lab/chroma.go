package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pruned/repo/testenv"
)

// chroma is the server of the application's own version of Chroma on its files:
// the program that also runs inside the application, while that does not run.
type chroma struct {
	*testenv.Chroma
	ctx  context.Context
	http http.Client
}

// object is a JSON object.
type object = map[string]any

func (c *chroma) postRequest(path string, in, out any) error {
	return c.sendRequest(http.MethodPost, path, in, out)
}

// sendRequest sends a request about collections, and decodes the answer.
func (c *chroma) sendRequest(method, path string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	url := c.URL() + "/api/v2/tenants/default_tenant/databases/default_database/collections" + path
	request, err := http.NewRequestWithContext(c.ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("ask Chroma: %s %s: %s: %s", method, path, response.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

// ensureCollection makes a collection as the application does, unless it is there.
func (c *chroma) ensureCollection(name string) (id string, err error) {
	var made struct{ ID string }
	err = c.postRequest("", object{"name": name, "get_or_create": true, "metadata": object{"hnsw:space": "cosine"}}, &made)
	return made.ID, err
}

// chunks are those of some files that go into a collection at once.
type chunks struct {
	IDs        []string    `json:"ids"`
	Documents  []string    `json:"documents"`
	Embeddings [][]float32 `json:"embeddings"`
	Metadatas  []object    `json:"metadatas"`
}

// chunkForm says what chunks are like.
type chunkForm struct{ perFile, dim, words int }

// appendChunks appends the chunks of a file, as the application makes them.
func (form chunkForm) appendChunks(file string, to *chunks) {
	for n := range form.perFile {
		form.appendPoint(testenv.NewID(), object{
			"name": "document.pdf", "source": "document.pdf", "file_id": file, "hash": file,
			"created_by": testenv.UserID, "start_index": n * 900, "embedding_config": `{"engine": "", "model": "small"}`,
		}, to)
	}
}

func (form chunkForm) appendPoint(id string, metadata object, to *chunks) {
	vector := make([]float32, form.dim)
	for i := range vector {
		vector[i] = rand.Float32()
	}
	to.IDs = append(to.IDs, id)
	to.Documents = append(to.Documents, randomWords(form.words))
	to.Embeddings = append(to.Embeddings, vector)
	to.Metadatas = append(to.Metadatas, metadata)
}

// addedAtOnce is how many chunks go in one request.
const addedAtOnce = 1000

// insertChunks stores the chunks of files in a collection.
func (c *chroma) insertChunks(collection string, form chunkForm, files ...string) error {
	id, err := c.ensureCollection(collection)
	if err != nil {
		return err
	}
	batch := &chunks{}
	for i, file := range files {
		form.appendChunks(file, batch)
		if len(batch.IDs)+form.perFile <= addedAtOnce && i < len(files)-1 {
			continue
		}
		if err := c.postRequest("/"+id+"/add", batch, &object{}); err != nil {
			return err
		}
		batch = &chunks{}
	}
	return nil
}

// insertPoints stores points that hold nothing of a file.
func (c *chroma) insertPoints(collection string, form chunkForm, ids []string) error {
	if len(ids) == 0 {
		return nil // a collection that never held any has no folder
	}
	id, err := c.ensureCollection(collection)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, addedAtOnce) {
		batch := &chunks{}
		for _, id := range some {
			form.appendPoint(id, object{"created_at": 1}, batch)
		}
		if err := c.postRequest("/"+id+"/add", batch, &object{}); err != nil {
			return err
		}
	}
	return nil
}

// checkAnswer asks a collection for as much as there is, as the application does: every
// answer must have its text, and be about a file that may be there.
func (c *chroma) checkAnswer(name string, dim int, may func(file string) bool) error {
	id, err := c.ensureCollection(name)
	if err != nil {
		return err
	}
	var found struct {
		Documents [][]*string
		Metadatas [][]object
	}
	vector := make([]float32, dim)
	vector[0] = 1
	err = c.postRequest("/"+id+"/query", object{
		"query_embeddings": [][]float32{vector}, "n_results": 500, "include": []string{"documents", "metadatas"},
	}, &found)
	if err != nil {
		return err
	}
	if len(found.Documents[0]) == 0 {
		return fmt.Errorf("collection %s answers with nothing", name)
	}
	for i, text := range found.Documents[0] {
		file, _ := found.Metadatas[0][i]["file_id"].(string)
		if text == nil || !may(file) {
			return fmt.Errorf("collection %s answers with a chunk of file %q, with its text: %t", name, file, text != nil)
		}
	}
	return nil
}

// randomWords are a text of that many words, of a language with few.
func randomWords(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = vocabulary[rand.IntN(len(vocabulary))]
	}
	return strings.Join(list, " ")
}

var vocabulary = func() []string {
	list := make([]string, 3000)
	for i := range list {
		var word strings.Builder
		for range 1 + rand.IntN(4) {
			word.WriteByte("bcdfghklmnprstvw"[rand.IntN(16)])
			word.WriteByte("aeiou"[rand.IntN(5)])
		}
		list[i] = word.String()
	}
	return list
}()

// collectionsAtOnce is how many collections a server makes before it is started
// anew: it keeps the indexes of all of them open.
const collectionsAtOnce = 1000

// makeChroma has a real Chroma make the files of an embedded one in dir: collections of
// one file each, and what fill adds. It does so in memory first, since it waits for the disk
// with every collection.
func makeChroma(ctx context.Context, dir string, form chunkForm, collections []string, fill func(*chroma) error) (err error) {
	quick, ok := testenv.InMemory()
	if !ok {
		quick = dir + ".making"
	}
	defer func() { err = errors.Join(err, os.RemoveAll(quick)) }()
	made := filepath.Join(quick, "made")
	for some := range slices.Chunk(collections, collectionsAtOnce) {
		err := withChroma(ctx, made, func(c *chroma) error {
			for _, collection := range some {
				if err := c.insertChunks(collection, form, strings.TrimPrefix(collection, testenv.FileCollection(""))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := withChroma(ctx, made, fill); err != nil {
		return err
	}
	return os.CopyFS(dir, os.DirFS(made))
}

// withChroma runs fn beside a Chroma on the files in dir.
func withChroma(ctx context.Context, dir string, fn func(*chroma) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	server, err := testenv.RunChroma(ctx, dir, dir+".log")
	if err != nil {
		return err
	}
	return errors.Join(fn(&chroma{Chroma: server, ctx: ctx}), server.End())
}
