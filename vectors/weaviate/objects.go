package weaviate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"pruned/vectors"
	"pruned/vectors/apart"
)

const (
	// largestPage is the most objects that a server answers with to one question, and that
	// it deletes by one request, where its QUERY_MAXIMUM_RESULTS is not set.
	largestPage = 10_000
	// smallestPage is asked for before an error is believed to be about something else.
	smallestPage = 10
)

// Read lists page by page. What the server's filter let through is compared here. A
// page may be empty.
func (s *server) Read(ctx context.Context, of class, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		if filter, can := filterOf(of, q); can {
			page, whole, err := s.readPage(ctx, of, filter)
			if whole || err != nil {
				yield(q.Choose(page), err)
				return
			}
		}
		// Pages of a filter have no end that is known: everything is read.
		for after := ""; ; {
			page, whole, err := s.readPage(ctx, of, "after:"+quote(after))
			if !yield(q.Choose(page), err) || err != nil || whole {
				return
			}
			last := page[len(page)-1].ID
			if last <= after {
				yield(nil, s.Unusable("answers about class %s with ids that do not ascend", of.name))
				return
			}
			after = last
		}
	}
}

// ReadFirst are some that are found as of now; all where there are no more than a page.
func (s *server) ReadFirst(ctx context.Context, of class, q apart.Question) ([]apart.Point, error) {
	if filter, can := filterOf(of, q); can {
		page, whole, err := s.readPage(ctx, of, filter)
		if page = q.Choose(page); err != nil || whole || len(page) > 0 {
			return page, err
		}
	}
	for page, err := range s.Read(ctx, of, q) {
		if err != nil || len(page) > 0 {
			return page, err
		}
	}
	return nil, nil
}

// canonical is how the server writes a UUID.
var canonical = regexp.MustCompile(`^` + uuidPattern + `$`)

// filterOf is a condition that lets at least through what is meant; can is false where there
// is none, and all objects have to be read. A text may be taken apart into words, of which
// some are no words for the server: only of a UUID is something left for sure.
func filterOf(of class, q apart.Question) (_ string, can bool) {
	key, values := "id", q.IDs
	if len(q.Files) > 0 {
		key, values = fileKey, nil
		for _, id := range q.Files {
			parsed, err := uuid.Parse(id)
			switch {
			case err != nil && of.kinds[fileKey] == kindUUID: // it cannot be there
			case err == nil && of.kinds[fileKey] == kindUUID:
				values = append(values, parsed.String())
			case canonical.MatchString(strings.ToLower(id)):
				values = append(values, id)
			default:
				return "", false
			}
		}
	}
	if of.kinds[fileKey] == unfiltered && key == fileKey || len(q.IDs)+len(q.Files) == 0 {
		return "", false
	}
	if len(values) == 0 {
		values = []string{uuid.Nil.String()} // an empty list is no filter
	}
	return fmt.Sprintf("where:{path:[%s],operator:ContainsAny,valueText:%s}", quote(key), quoteAll(values)), true
}

// readPage is one page, and whether that is all. One that is refused is asked for in parts:
// the server may have a lower bound for an answer.
func (s *server) readPage(ctx context.Context, of class, filter string) (page []apart.Point, whole bool, err error) {
	for limit := s.page.Load(); ; limit /= 10 {
		page, err = s.ask(ctx, of, fmt.Sprintf("limit:%d,%s", limit, filter))
		if err == nil {
			s.page.Store(min(limit, s.page.Load()))
			return page, len(page) < int(limit), nil
		}
		now, again := s.List(ctx)
		if again != nil {
			return nil, false, again
		}
		if !slices.ContainsFunc(now, func(one class) bool { return one.name == of.name }) {
			return nil, true, nil
		}
		if limit <= smallestPage {
			return nil, false, err
		}
	}
}

// answered is what the server answers to a question.
type answered struct {
	Data   struct{ Get map[string][]map[string]any }
	Errors []struct{ Message string }
}

// ask asks what is in a class, as all replicas know it.
func (s *server) ask(ctx context.Context, of class, arguments string) ([]apart.Point, error) {
	if of.replicas > 1 {
		arguments += ",consistencyLevel:ALL"
	}
	fields := "_additional{id}"
	for key := range of.kinds {
		fields += " " + key
	}
	var answer answered
	in := map[string]string{"query": fmt.Sprintf("{Get{%s(%s){%s}}}", of.name, arguments, fields)}
	if err := s.Call(ctx, "read class "+of.name, http.MethodPost, "graphql", in, &answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, s.Unusable("does not answer about class %s: %.300s", of.name, answer.Errors[0].Message)
	}
	list, there := answer.Data.Get[of.name]
	if !there {
		return nil, s.Unusable("answers about another class than %s", of.name)
	}
	return s.readObjects(of, list)
}

func (s *server) readObjects(of class, list []map[string]any) (page []apart.Point, err error) {
	for _, properties := range list {
		additional, _ := properties["_additional"].(map[string]any)
		o := apart.Point{}
		if o.ID, _ = additional["id"].(string); !canonical.MatchString(o.ID) {
			return nil, s.Unusable("answers about class %s with an object without an id", of.name)
		}
		o.Maker, _ = properties[makerKey].(string)
		if properties[vectors.NameKey] != nil {
			o.File, _ = properties[fileKey].(string)
			o.File = asWritten(o.File, of, properties)
		}
		page = append(page, o)
	}
	return page, nil
}

// asWritten is the id of a file as the application has it: the server writes a UUID in its
// own way, whoever stored it in which.
func asWritten(file string, of class, properties map[string]any) string {
	origin, _ := properties[originKey].(string)
	id, own := vectors.CollectionOwner(origin)
	if !own || of.kinds[fileKey] != kindUUID {
		return file
	}
	if parsed, err := uuid.Parse(id); err == nil && parsed.String() == file {
		return id
	}
	return file
}

// Count counts what is in a class.
func (s *server) Count(ctx context.Context, of class) (int64, error) {
	var answer struct {
		Data struct {
			Aggregate map[string][]struct{ Meta struct{ Count int64 } }
		}
	}
	in := map[string]string{"query": fmt.Sprintf("{Aggregate{%s{meta{count}}}}", of.name)}
	err := s.Call(ctx, "count class "+of.name, http.MethodPost, "graphql", in, &answer)
	if found := answer.Data.Aggregate[of.name]; len(found) == 1 {
		return found[0].Meta.Count, err
	}
	return 0, err
}

// Drop drops a class. A running application finds nothing there, and makes it again when it
// writes.
func (s *server) Drop(ctx context.Context, one class) error {
	return s.Call(ctx, "drop class "+one.name, http.MethodDelete, "schema/"+one.name, nil, nil)
}

// Delete deletes objects in all replicas, or fails.
func (s *server) Delete(ctx context.Context, from class, ids []string) error {
	where := map[string]any{"path": []string{"id"}, "operator": "ContainsAny", "valueTextArray": ids}
	in := map[string]any{"match": map[string]any{"class": from.name, "where": where}, "output": "minimal"}
	return s.Call(ctx, fmt.Sprintf("delete %d objects of class %s", len(ids), from.name), http.MethodDelete, "batch/objects?consistency_level=ALL", in, nil)
}

// CanHave says that a server has no ids but UUIDs, in its own spelling.
func (s *server) CanHave(id string) bool { return canonical.MatchString(id) }

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a text of GraphQL is one of JSON
	return string(quoted)
}

func quoteAll(texts []string) string {
	quoted, _ := json.Marshal(texts)
	return string(quoted)
}
