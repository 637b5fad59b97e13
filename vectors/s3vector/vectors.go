package s3vector

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/document"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/types"

	"pruned/vectors"
	"pruned/vectors/apart"
)

// What the service takes with one request.
const (
	indexesAtOnce = 500
	listedAtOnce  = 1000
	askedAtOnce   = 100
	deletedAtOnce = 500
	longestKey    = 1024 // signs
)

// Keys of the metadata. Of ten that the application keeps these are always some.
const (
	fileKey  = "file_id"
	makerKey = "created_by"
)

// index is one of the bucket's, called as the application's collection. Only List makes one.
type index string

func (i index) Name() string       { return string(i) }
func (i index) Collection() string { return string(i) }
func (i index) HoldsFiles() bool   { return true }

// List lists the indexes of the bucket, page by page.
func (s *server) List(ctx context.Context) (list []index, err error) {
	const doing = "list the indexes"
	in := &s3vectors.ListIndexesInput{VectorBucketName: &s.options.Bucket, MaxResults: aws.Int32(indexesAtOnce)}
	for more := true; more; {
		page, err := s.client.ListIndexes(ctx, in)
		if err != nil {
			return nil, s.describeFailure(doing, err)
		}
		for _, one := range page.Indexes {
			list = append(list, index(aws.ToString(one.IndexName)))
		}
		if more, err = s.goOn(&in.NextToken, page.NextToken, page.Indexes == nil); err != nil {
			return nil, s.describeFailure(doing, err)
		}
	}
	return list, nil
}

// goOn turns to the next page, and says whether there is one. What has no list is no page,
// and a listing that stands still has no end.
func (s *server) goOn(token **string, next *string, empty bool) (more bool, err error) {
	switch before := *token; {
	case empty:
		return false, errors.New("the answer has no list")
	case aws.ToString(next) == "":
		return false, nil
	case aws.ToString(next) == aws.ToString(before):
		return false, errors.New("the listing does not go on")
	}
	*token = next
	return true, nil
}

// Read lists all vectors and compares them, or asks for some by their keys.
func (s *server) Read(ctx context.Context, from index, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		pages := s.readAll(ctx, from)
		if len(q.IDs) > 0 {
			pages = s.readSome(ctx, from, q.IDs)
		}
		for page, err := range pages {
			if !yield(q.Choose(page), err) || err != nil {
				return
			}
		}
	}
}

func (s *server) readAll(ctx context.Context, from index) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		for page, err := range s.list(ctx, from, true) {
			var points []apart.Point
			for _, one := range page {
				points = append(points, pointOf(one.Key, one.Metadata))
			}
			if !yield(points, err) || err != nil {
				return
			}
		}
	}
}

// ReadDocuments reads all metadata, of which the application's text is one.
func (s *server) ReadDocuments(ctx context.Context, of index) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		for page, err := range s.list(ctx, of, true) {
			var documents []apart.Document
			for _, one := range page {
				values, failed := readMetadata(one.Metadata)
				documents, err = append(documents, apart.Document{ID: aws.ToString(one.Key), Values: values}), errors.Join(err, failed)
			}
			if !yield(documents, err) || err != nil {
				return
			}
		}
	}
}

func readMetadata(text document.Interface) (metadata map[string]any, err error) {
	if text != nil {
		err = text.UnmarshalSmithyDocument(&metadata)
	}
	return metadata, err
}

func (s *server) readSome(ctx context.Context, from index, keys []string) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		for some := range slices.Chunk(keys, askedAtOnce) {
			found, err := s.client.GetVectors(ctx, &s3vectors.GetVectorsInput{VectorBucketName: &s.options.Bucket, IndexName: aws.String(from.Name()), Keys: some, ReturnMetadata: true})
			if err != nil || found.Vectors == nil {
				if err = s.unlessDropped(ctx, from, "ask for vectors", err); err != nil {
					yield(nil, err)
				}
				return
			}
			var points []apart.Point
			for _, one := range found.Vectors {
				points = append(points, pointOf(one.Key, one.Metadata))
			}
			if !yield(points, nil) {
				return
			}
		}
	}
}

// list lists the vectors of an index page by page; one that was dropped has none.
func (s *server) list(ctx context.Context, of index, metadata bool) iter.Seq2[[]types.ListOutputVector, error] {
	return func(yield func([]types.ListOutputVector, error) bool) {
		in := &s3vectors.ListVectorsInput{VectorBucketName: &s.options.Bucket, IndexName: aws.String(of.Name()), MaxResults: aws.Int32(listedAtOnce), ReturnMetadata: metadata}
		for more := true; more; {
			page, err := s.client.ListVectors(ctx, in)
			if err == nil {
				more, err = s.goOn(&in.NextToken, page.NextToken, page.Vectors == nil)
			}
			if err != nil {
				if err = s.unlessDropped(ctx, of, "list the vectors", err); err != nil {
					yield(nil, err)
				}
				return
			}
			if !yield(page.Vectors, nil) {
				return
			}
		}
	}
}

// unlessDropped is a failure, unless the index was dropped: that says only the list of all.
// An answer without a list is a failure as well.
func (s *server) unlessDropped(ctx context.Context, of index, doing string, err error) error {
	if err == nil {
		err = errors.New("the answer has no list")
	}
	if isMissing(err) {
		if now, again := s.List(ctx); again != nil || !slices.Contains(now, of) {
			return again
		}
	}
	return s.describeFailure(fmt.Sprintf("%s of index %s", doing, of), err)
}

func isMissing(err error) bool {
	var missing *types.NotFoundException
	return errors.As(err, &missing)
}

// pointOf reads a vector's metadata. One without a name is not Open WebUI's.
func pointOf(key *string, text document.Interface) apart.Point {
	p := apart.Point{ID: aws.ToString(key)}
	metadata, err := readMetadata(text)
	if err != nil {
		return p
	}
	p.Maker, _ = metadata[makerKey].(string)
	if metadata[vectors.NameKey] != nil {
		p.File, _ = metadata[fileKey].(string)
	}
	return p
}

// ReadFirst are as many as one request deletes; the service shows each write at once.
func (s *server) ReadFirst(ctx context.Context, from index, q apart.Question) (first []apart.Point, err error) {
	for page, err := range s.Read(ctx, from, q) {
		if err != nil {
			return nil, err
		}
		if first = append(first, page...); len(first) >= deletedAtOnce {
			return first[:deletedAtOnce], nil
		}
	}
	return first, nil
}

// Count lists keys.
func (s *server) Count(ctx context.Context, of index) (n int64, err error) {
	for page, err := range s.list(ctx, of, false) {
		if err != nil {
			return 0, err
		}
		n += int64(len(page))
	}
	return n, nil
}

// Drop drops an index. A running application finds nothing there, and makes it again when it
// writes.
func (s *server) Drop(ctx context.Context, one index) error {
	_, err := s.client.DeleteIndex(ctx, &s3vectors.DeleteIndexInput{VectorBucketName: &s.options.Bucket, IndexName: aws.String(one.Name())})
	if err != nil && !isMissing(err) {
		return s.describeFailure("drop index "+one.Name(), err)
	}
	return nil
}

// Delete deletes vectors by their keys.
func (s *server) Delete(ctx context.Context, from index, ids []string) error {
	for some := range slices.Chunk(ids, deletedAtOnce) {
		_, err := s.client.DeleteVectors(ctx, &s3vectors.DeleteVectorsInput{VectorBucketName: &s.options.Bucket, IndexName: aws.String(from.Name()), Keys: some})
		if err != nil {
			return s.describeFailure(fmt.Sprintf("delete %d vectors of index %s", len(some), from), err)
		}
	}
	return nil
}

// CanHave says whether a vector can have a key.
func (s *server) CanHave(id string) bool {
	return id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= longestKey
}
