package weaviate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"pruned/vectors"
	"pruned/vectors/rest"
)

// Properties of the application's objects.
const (
	fileKey  = "file_id"
	makerKey = "created_by"
	// originKey names the own collection of the file, in the words of the application also
	// where the file's id is a UUID.
	originKey = "collection_name"
)

// class is one of the server's. Only listClasses makes one, of what the server has, so that
// none is empty.
type class struct {
	name       string
	collection string // of the application's; empty where nobody can tell which
	// kinds says of each property of ours that can be read what it is.
	kinds    map[string]string
	replicas int
}

// classes are the server's, by name.
type classes map[string]class

func (c classes) sorted() (list []class) {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		list = append(list, c[name])
	}
	return list
}

// shared are those with chunks of several files.
func (c classes) shared() (list []class) {
	for _, one := range c.sorted() {
		if vectors.IsShared(one.collection) && one.kinds[fileKey] != "" && one.kinds[vectors.NameKey] != "" {
			list = append(list, one)
		}
	}
	return list
}

// locate are those that hold these collections.
func (c classes) locate(collections []string) (list []class) {
	for _, collection := range collections {
		if tellable.MatchString(collection) {
			if one := c[classOf(collection)]; one.collection == collection {
				list = append(list, one)
			}
		}
	}
	return list
}

// noClass is a name that nobody has.
const noClass = "Pruned_asks_what_it_may_read"

// listClasses comes before anything else. The leader of the servers answers. Classes that
// our key may not read it would leave out: it is asked for one that is not there, which it
// says of only what may be read.
func (s *Store) listClasses(ctx context.Context) (classes, error) {
	err := s.server.Call(ctx, "ask for a class", http.MethodGet, "schema/"+noClass, nil, nil)
	var refusal *rest.RefusalError
	if err != nil && (!errors.As(err, &refusal) || refusal.Status != http.StatusNotFound) {
		return nil, err
	}
	list := classes{}
	err = s.server.Call(ctx, "list the classes", http.MethodGet, "schema", nil, rest.Pieces(list.read))
	return list, err
}

// described is a class in the words of the server.
type described struct {
	Class      string
	Properties []struct {
		Name            string
		DataType        []string
		IndexFilterable *bool
	}
	MultiTenancyConfig struct{ Enabled bool }
	ReplicationConfig  struct{ Factor int }
}

// read reads them one by one: each has two kilobytes.
func (c classes) read(from *json.Decoder) error {
	for _, want := range []json.Token{json.Delim('{'), "classes", json.Delim('[')} {
		if got, err := from.Token(); err != nil || got != want {
			return fmt.Errorf("it begins with %v, not with %v: %w", got, want, err)
		}
	}
	for from.More() {
		var one described
		if err := from.Decode(&one); err != nil {
			return err
		}
		c[one.Class] = one.toClass()
	}
	_, err := from.Token() // a list that was cut has no end
	return err
}

// toClass leaves out what the application would not make so.
func (d described) toClass() class {
	one := class{name: d.Class, kinds: map[string]string{}, replicas: d.ReplicationConfig.Factor}
	if !d.MultiTenancyConfig.Enabled {
		one.collection, _ = collectionOf(d.Class)
	}
	for _, p := range d.Properties {
		if len(p.DataType) != 1 || !slices.Contains(readable[p.Name], p.DataType[0]) {
			continue
		}
		one.kinds[p.Name] = p.DataType[0]
		if p.Name == fileKey && p.IndexFilterable != nil && !*p.IndexFilterable {
			one.kinds[p.Name] = unfiltered
		}
	}
	return one
}

// Kinds of properties. unfiltered is one that the server has no index of.
const (
	kindUUID   = "uuid"
	unfiltered = "unfiltered"
)

// readable are the properties that are asked for, and of which kinds: an id is a text.
var readable = map[string][]string{
	fileKey: texts, makerKey: texts, originKey: texts, vectors.NameKey: slices.Concat(texts, []string{"int", "number", "boolean", "date"}),
}

var texts = []string{"text", "string", kindUUID}

// Strange lists the classes that nobody can tell the collection of, by the server's names.
func (s *Store) Strange(ctx context.Context) (list []string, err error) {
	all, err := s.listClasses(ctx)
	for _, one := range all.sorted() {
		if one.collection == "" && len(list) < vectors.MaxStrange {
			list = append(list, one.name)
		}
	}
	return list, err
}
