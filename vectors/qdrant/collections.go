package qdrant

import (
	"context"
	"errors"
	"net/http"

	"pruned/vectors/rest"
)

// noCollection is a name that nobody has.
const noCollection = "pruned-asks-what-it-may-see"

// List comes before anything else. Collections that our key may not see the server would leave
// out: it is asked for one that is not there, which it says of only what may be seen. It fails
// where the server has not what the settings say.
func (s *server) List(ctx context.Context) (list []collection, err error) {
	if err := s.requireAll(ctx); err != nil {
		return nil, err
	}
	names, err := s.listNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if one, ours := s.layout.place(name); ours {
			list = append(list, one)
		}
	}
	if err := s.checkLayout(names); err != nil {
		return nil, err
	}
	return list, s.checkAliases(ctx)
}

func (s *server) requireAll(ctx context.Context) error {
	exists, err := s.exists(ctx, single{name: noCollection})
	if err == nil && exists {
		err = s.Unusable("has a collection %s, which nobody made", noCollection)
	}
	return err
}

func (s *server) exists(ctx context.Context, one collection) (bool, error) {
	var answer struct {
		Result struct{ Exists *bool }
	}
	err := s.Call(ctx, "ask for collection "+one.Name(), http.MethodGet, one.path("/exists"), nil, &answer)
	if err == nil && answer.Result.Exists == nil {
		err = s.Unusable("does not say whether there is a collection %s", one.Name())
	}
	return err == nil && *answer.Result.Exists, err
}

// isMissing says that a collection is not there, which the server has to say again: a proxy
// answers with the same status.
func (s *server) isMissing(ctx context.Context, one collection, err error) bool {
	var refusal *rest.RefusalError
	if !errors.As(err, &refusal) || refusal.Status != http.StatusNotFound {
		return false
	}
	exists, err := s.exists(ctx, one)
	return err == nil && !exists
}

func (s *server) listNames(ctx context.Context) (names []string, err error) {
	var answer struct {
		Result struct{ Collections *[]struct{ Name string } }
	}
	err = s.Call(ctx, "list the collections", http.MethodGet, "collections", nil, &answer)
	if err == nil && answer.Result.Collections == nil {
		err = s.Unusable("does not list its collections")
	}
	if err != nil {
		return nil, err
	}
	for _, one := range *answer.Result.Collections {
		names = append(names, one.Name)
	}
	return names, nil
}

// checkLayout refuses a server that only has what the other mode makes: nothing would be
// found there, and everything would be taken for removed.
func (s *server) checkLayout(names []string) error {
	other, setting := layout{s.layout.prefix, !s.layout.multitenancy}, "true"
	if s.layout.multitenancy {
		setting = "false"
	}
	strange := ""
	for _, name := range names {
		if s.layout.accepts(name) {
			return nil
		}
		if other.accepts(name) {
			strange = name
		}
	}
	if strange != "" {
		return s.Unusable("has a collection %s, and none as ENABLE_QDRANT_MULTITENANCY_MODE and QDRANT_COLLECTION_PREFIX say: wanted both as Open WebUI has them, the first perhaps %s", strange, setting)
	}
	return nil
}

// checkAliases refuses a name of the application's that stands for another collection: what
// lies there may be somebody else's.
func (s *server) checkAliases(ctx context.Context) error {
	var answer struct {
		Result struct {
			Aliases *[]struct {
				Alias      string `json:"alias_name"`
				Collection string `json:"collection_name"`
			}
		}
	}
	err := s.Call(ctx, "list the aliases", http.MethodGet, "aliases", nil, &answer)
	if err == nil && answer.Result.Aliases == nil {
		err = s.Unusable("does not list its aliases")
	}
	if err != nil {
		return err
	}
	for _, one := range *answer.Result.Aliases {
		if s.layout.accepts(one.Alias) {
			return s.Unusable("has %s as an alias of collection %s: nobody can tell whose points lie there; wanted a collection of that name, as Open WebUI makes it", one.Alias, one.Collection)
		}
	}
	return nil
}
