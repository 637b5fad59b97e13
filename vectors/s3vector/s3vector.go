// Package s3vector is the vector store Amazon S3 Vectors.
//
// Its central idea is that nothing but listings is believed: S3 Vectors can find vectors by
// metadata only as far as they are near others, so that all of an index are listed, compared
// here, deleted by their keys, and listed again, until none is left.
//
// The package knows nothing of table file, of references, or of the queue. No S3 Vectors was
// to be had: it was tested on moto 5.2.5. What the application does with it is in
// open_webui/retrieval/vector/dbs/s3vector.py of Open WebUI 0.12.4.
package s3vector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors/types"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
)

// Options are the application's settings for this store. Who we are the environment, AWS's
// files or the machine say, as with the application's client.
type Options struct{ Bucket, Region string }

// Store is a bucket of vectors.
type Store struct {
	*apart.Store[index]
	server *server
}

type server struct {
	client  *s3vectors.Client
	options Options
	where   string
	who     *remembering
	close   func()
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
)

const (
	// requestPatience bounds a request and its answer.
	requestPatience = 5 * time.Minute
	// tries of a request, with pauses between them that grow: 429, 503, a broken connection.
	tries = 5
)

// New makes a store. It sends nothing.
func New(ctx context.Context, options Options) (*Store, error) {
	configuration, err := config.LoadDefaultConfig(ctx, config.WithRegion(options.Region))
	if err != nil {
		return nil, fmt.Errorf("read AWS's settings: %w", err)
	}
	return newStore(configuration, options), nil
}

func newStore(configuration aws.Config, options Options) *Store {
	s := &server{options: options, who: &remembering{CredentialsProvider: configuration.Credentials}}
	client, is := configuration.HTTPClient.(*awshttp.BuildableClient) // with the authorities of AWS_CA_BUNDLE
	if !is {
		client = awshttp.NewBuildableClient()
	}
	transport := client.GetTransport()
	s.close = transport.CloseIdleConnections
	s.client = s3vectors.NewFromConfig(configuration, func(o *s3vectors.Options) {
		o.HTTPClient = &http.Client{Transport: transport, Timeout: requestPatience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		o.Credentials = s.who
		o.Retryer = retry.AddWithMaxAttempts(retry.NewStandard(), tries)
	})
	s.where = fmt.Sprintf("bucket %s in %s", options.Bucket, options.Region)
	if endpoint, err := url.Parse(aws.ToString(s.client.Options().BaseEndpoint)); err == nil && endpoint.Host != "" {
		s.where += " at " + endpoint.Host
	}
	return &Store{apart.New("s3vector", s), s}
}

// Close lets go of idle connections.
func (s *Store) Close() { s.server.close() }

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: "s3vector, " + s.server.where} }

// Unusable is an error of the store itself, whichever files were asked for.
func (s *server) Unusable(format string, args ...any) error {
	return fmt.Errorf("%w: S3 Vectors, %s, %w", vectors.ErrUnusable, s.where, fmt.Errorf(format, args...))
}

// rights are those that the requests need.
const rights = "s3vectors:ListIndexes, ListVectors, GetVectors, DeleteVectors and DeleteIndex on the bucket and its indexes"

// longestComplaint bounds what an error quotes of the service's.
const longestComplaint = 300

// describeFailure marks every failure as the store's own: no answer is a reason to believe
// that something is gone.
func (s *server) describeFailure(doing string, err error) error {
	text := s.who.hide(err.Error())
	if len(text) > longestComplaint {
		text = strings.ToValidUTF8(text[:longestComplaint], "") + "..."
	}
	var refused *types.AccessDeniedException
	if errors.As(err, &refused) {
		text += ": the credentials that AWS's settings name want the rights " + rights
	}
	return s.Unusable("%s: %w", doing, &failure{text, err})
}

// failure is an error whose words are fit to be told.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// remembering is where credentials come from. It remembers the last, of which a token is
// sent, so that no error tells what somebody else made of that.
type remembering struct {
	aws.CredentialsProvider
	last atomic.Pointer[aws.Credentials]
}

// Retrieve is called before each request.
func (r *remembering) Retrieve(ctx context.Context) (aws.Credentials, error) {
	one, err := r.CredentialsProvider.Retrieve(ctx)
	r.last.Store(&one)
	return one, err
}

func (r *remembering) hide(text string) string {
	if one := r.last.Load(); one != nil && one.SessionToken != "" {
		text = strings.ReplaceAll(text, one.SessionToken, "*****")
	}
	return text
}
