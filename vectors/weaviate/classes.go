package weaviate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// class is one of the server's. Only List makes one.
type class struct {
	name       string
	collection string // of the application's; empty where nobody can tell which
	// kinds says of each property of ours that can be read what it is.
	kinds    map[string]string
	replicas int
	tenants  bool
}

func (c class) Name() string       { return c.name }
func (c class) Collection() string { return c.collection }
func (c class) HoldsFiles() bool   { return c.kinds[fileKey] != "" && c.kinds[vectors.NameKey] != "" }

// noClass is a name that nobody has.
const noClass = "Pruned_asks_what_it_may_read"

// List comes before anything else. The leader of the servers answers. Classes that our key
// may not read it would leave out: it is asked for one that is not there, which it says of
// only what may be read.
func (s *server) List(ctx context.Context) (list []class, err error) {
	err = s.Call(ctx, "ask for a class", http.MethodGet, "schema/"+noClass, nil, nil)
	var refusal *rest.RefusalError
	if err != nil && (!errors.As(err, &refusal) || refusal.Status != http.StatusNotFound) {
		return nil, err
	}
	err = s.Call(ctx, "list the classes", http.MethodGet, "schema", nil, rest.Pieces(func(from *json.Decoder) (err error) {
		list, err = readClasses(from)
		return err
	}))
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

// readClasses reads them one by one: each has two kilobytes.
func readClasses(from *json.Decoder) (list []class, err error) {
	for _, want := range []json.Token{json.Delim('{'), "classes", json.Delim('[')} {
		if got, err := from.Token(); err != nil || got != want {
			return nil, fmt.Errorf("it begins with %v, not with %v: %w", got, want, err)
		}
	}
	for from.More() {
		var one described
		if err := from.Decode(&one); err != nil {
			return nil, err
		}
		list = append(list, one.toClass())
	}
	_, err = from.Token() // a list that was cut has no end
	return list, err
}

// toClass leaves out what the application would not make so.
func (d described) toClass() class {
	one := class{name: d.Class, kinds: map[string]string{}, replicas: d.ReplicationConfig.Factor, tenants: d.MultiTenancyConfig.Enabled}
	if !one.tenants {
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
