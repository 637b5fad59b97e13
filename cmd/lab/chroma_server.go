package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"pruned/repo/testenv"
	vectors "pruned/vectors/chroma"
)

// chromaServer is a server of Chroma that the program reaches over HTTP, through a link.
type chromaServer struct {
	chroma
	dir  string
	link *link
}

func runChroma(ctx context.Context, _ *lab) (_ vectorServer, err error) {
	c := &chromaServer{chroma: chroma{ctx: ctx}}
	if c.dir, err = os.MkdirTemp("", "pruned-lab-chroma-"); err != nil {
		return nil, err
	}
	c.Chroma, err = testenv.RunChroma(ctx, filepath.Join(c.dir, "data"), filepath.Join(c.dir, "chroma.log"))
	if err == nil {
		c.link, err = openLink(c.Address())
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	return c, nil
}

func (c *chromaServer) settings() []string {
	return []string{"VECTOR_DB=chroma", "CHROMA_HTTP_HOST=" + c.linkURL()}
}

func (c *chromaServer) linkURL() string { return "http://" + c.link.address() }

func (c *chromaServer) storeName(ctx context.Context) (string, error) {
	store, err := vectors.New(ctx, vectors.HTTPOptions{URL: c.linkURL()})
	if err != nil {
		return "", err
	}
	defer store.Close()
	return store.Info().Name, nil
}

func (c *chromaServer) insert(_ context.Context, all []chunk) error {
	batches := map[string]*chunks{}
	for _, one := range all {
		if batches[one.collection] == nil {
			batches[one.collection] = &chunks{}
		}
		chunkForm{dim: chromaDimension, words: fewWords}.appendPoint(one.id, one.metadata, batches[one.collection])
	}
	for collection, batch := range batches {
		id, err := c.ensureCollection(collection)
		if err == nil {
			err = c.postRequest("/"+id+"/add", batch, &object{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	chromaDimension = 8
	// mostListed is more than there are of anything in a world.
	mostListed = 100_000
)

func (c *chromaServer) list(context.Context) (list []chunk, err error) {
	var collections []struct{ ID, Name string }
	if err := c.sendRequest(http.MethodGet, fmt.Sprintf("?limit=%d", mostListed), nil, &collections); err != nil {
		return nil, err
	}
	for _, one := range collections {
		var found struct {
			IDs       []string
			Metadatas []object
		}
		if err := c.postRequest("/"+one.ID+"/get", object{"limit": mostListed, "include": []string{"metadatas"}}, &found); err != nil {
			return nil, err
		}
		for i, id := range found.IDs {
			list = append(list, chunk{id, one.Name, found.Metadatas[i]})
		}
	}
	return list, nil
}

func (c *chromaServer) crash() error   { return c.Crash() }
func (c *chromaServer) recover() error { return c.Recover() }

func (c *chromaServer) end() error {
	c.link.proxy.Stop()
	return errors.Join(c.End(), os.RemoveAll(c.dir))
}
