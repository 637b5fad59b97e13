package weaviate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"pruned/vectors"
)

const (
	// largestPage is the most objects that a server answers with to one question, and that
	// it deletes by one request, where its QUERY_MAXIMUM_RESULTS is not set.
	largestPage = 10_000
	// smallestPage is asked for before an error is believed to be about something else.
	smallestPage = 10
	// filesAtOnce bounds a question about several files, or points.
	filesAtOnce = 1000
)

// object is a point of a collection.
type object struct {
	id    string
	file  string // that its metadata names; empty where it is nobody's
	maker string
}

// question says which objects of a class are asked for; without ids and files, all.
type question struct {
	ids, files []string
}

// listObjects lists page by page. What the server's filter let through is compared here. A
// page may be empty.
func (s *Store) listObjects(ctx context.Context, of class, q question) iter.Seq2[[]object, error] {
	return func(yield func([]object, error) bool) {
		if filter, can := q.filter(of); can {
			page, whole, err := s.readPage(ctx, of, filter)
			if whole || err != nil {
				yield(q.choose(page), err)
				return
			}
		}
		// Pages of a filter have no end that is known: everything is read.
		for after := ""; ; {
			page, whole, err := s.readPage(ctx, of, "after:"+quote(after))
			if !yield(q.choose(page), err) || err != nil || whole {
				return
			}
			last := page[len(page)-1].id
			if last <= after {
				yield(nil, s.server.Unusable("answers about class %s with ids that do not ascend", of.name))
				return
			}
			after = last
		}
	}
}

// firstObjects are some that are found as of now; all where there are no more than a page.
func (s *Store) firstObjects(ctx context.Context, of class, q question) ([]object, error) {
	if filter, can := q.filter(of); can {
		page, whole, err := s.readPage(ctx, of, filter)
		if page = q.choose(page); err != nil || whole || len(page) > 0 {
			return page, err
		}
	}
	for page, err := range s.listObjects(ctx, of, q) {
		if err != nil || len(page) > 0 {
			return page, err
		}
	}
	return nil, nil
}

// canonical is how the server writes a UUID.
var canonical = regexp.MustCompile(`^` + uuidPattern + `$`)

// filter is a condition that lets at least through what is meant; can is false where there
// is none, and all objects have to be read. A text may be taken apart into words, of which
// some are no words for the server: only of a UUID is something left for sure.
func (q question) filter(of class) (_ string, can bool) {
	key, values := "id", q.ids
	if len(q.files) > 0 {
		key, values = fileKey, nil
		for _, id := range q.files {
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
	if of.kinds[fileKey] == unfiltered && key == fileKey || len(q.ids)+len(q.files) == 0 {
		return "", false
	}
	if len(values) == 0 {
		values = []string{uuid.Nil.String()} // an empty list is no filter
	}
	return fmt.Sprintf("where:{path:[%s],operator:ContainsAny,valueText:%s}", quote(key), quoteAll(values)), true
}

// choose compares exactly.
func (q question) choose(page []object) (meant []object) {
	ids, files := set(q.ids), set(q.files)
	for _, o := range page {
		if (len(ids) == 0 || ids[o.id]) && (len(files) == 0 || files[o.file]) {
			meant = append(meant, o)
		}
	}
	return meant
}

func set(list []string) map[string]bool {
	values := make(map[string]bool, len(list))
	for _, one := range list {
		values[one] = true
	}
	return values
}

// readPage is one page, and whether that is all. One that is refused is asked for in parts:
// the server may have a lower bound for an answer.
func (s *Store) readPage(ctx context.Context, of class, filter string) (page []object, whole bool, err error) {
	for limit := s.page.Load(); ; limit /= 10 {
		page, err = s.ask(ctx, of, fmt.Sprintf("limit:%d,%s", limit, filter))
		if err == nil {
			s.page.Store(min(limit, s.page.Load()))
			return page, len(page) < int(limit), nil
		}
		now, again := s.listClasses(ctx)
		if again != nil {
			return nil, false, again
		}
		if _, there := now[of.name]; !there {
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
func (s *Store) ask(ctx context.Context, of class, arguments string) ([]object, error) {
	if of.replicas > 1 {
		arguments += ",consistencyLevel:ALL"
	}
	fields := "_additional{id}"
	for key := range of.kinds {
		fields += " " + key
	}
	var answer answered
	in := map[string]string{"query": fmt.Sprintf("{Get{%s(%s){%s}}}", of.name, arguments, fields)}
	if err := s.server.Call(ctx, "read class "+of.name, http.MethodPost, "graphql", in, &answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, s.server.Unusable("does not answer about class %s: %.300s", of.name, answer.Errors[0].Message)
	}
	list, there := answer.Data.Get[of.name]
	if !there {
		return nil, s.server.Unusable("answers about another class than %s", of.name)
	}
	return s.readObjects(of, list)
}

func (s *Store) readObjects(of class, list []map[string]any) (page []object, err error) {
	for _, properties := range list {
		additional, _ := properties["_additional"].(map[string]any)
		o := object{}
		if o.id, _ = additional["id"].(string); !canonical.MatchString(o.id) {
			return nil, s.server.Unusable("answers about class %s with an object without an id", of.name)
		}
		o.maker, _ = properties[makerKey].(string)
		if properties[vectors.NameKey] != nil {
			o.file, _ = properties[fileKey].(string)
			o.file = asWritten(o.file, of, properties)
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

// countObjects counts what is in a class.
func (s *Store) countObjects(ctx context.Context, of class) (int64, error) {
	var answer struct {
		Data struct {
			Aggregate map[string][]struct{ Meta struct{ Count int64 } }
		}
	}
	in := map[string]string{"query": fmt.Sprintf("{Aggregate{%s{meta{count}}}}", of.name)}
	err := s.server.Call(ctx, "count class "+of.name, http.MethodPost, "graphql", in, &answer)
	if found := answer.Data.Aggregate[of.name]; len(found) == 1 {
		return found[0].Meta.Count, err
	}
	return 0, err
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a text of GraphQL is one of JSON
	return string(quoted)
}

func quoteAll(texts []string) string {
	quoted, _ := json.Marshal(texts)
	return string(quoted)
}
