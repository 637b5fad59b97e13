package s3vector_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3vectors"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/s3vector"
	"pruned/vectors/vectorstest"
)

// An index that goes while it is read has nothing, and what comes again is found the next
// time.
func TestIndexesThatComeAndGo(t *testing.T) {
	t.Parallel()
	a := newPaged(t, 2, 2)
	store := a.store(t)
	file := uuid.NewString()
	drop := func() {
		_, err := a.client.DeleteIndex(t.Context(), &s3vectors.DeleteIndexInput{VectorBucketName: &a.bucket, IndexName: aws.String(vectorstest.Base)})
		require.NoError(t, err)
	}
	a.insert(t, vectorstest.MakeChunks(7, vectorstest.Base, file)...)
	_, err := store.RemoveGuarded(t.Context(), []string{file}, func(_ context.Context, ids []string) ([]string, error) {
		drop()
		return ids, nil
	})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.Empty(t, a.listIndexes(t), "it is not made again by a deletion")
	a.insert(t, vectorstest.MakeChunks(7, vectorstest.Base, file)...)
	for _, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		drop()
	}
	again := append(vectorstest.MakeChunks(2, vectorstest.Base, file), vectorstest.MakeChunks(1, vectorstest.Base, uuid.NewString())...)
	a.insert(t, again...)
	removed, err := store.Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 2, removed.Chunks)
	require.Equal(t, []string{again[2].ID}, a.left(t))
}

// What a server answers that is without rights, of another kind, that loses the rest of a
// list or lies: it is the store's own fault, nothing is taken for gone, and no secret is told.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path   string // of the requests that are answered otherwise
		from   int64  // the first of these
		status int
		kind   string
		answer string
		want   string
	}{
		"says that it deleted":    {"/DeleteVectors", 1, 200, "", `{}`, "does not delete"},
		"says that it dropped":    {"/DeleteIndex", 1, 200, "", `{}`, "still has"},
		"no right to delete":      {"/DeleteVectors", 1, 403, "AccessDeniedException", `{"message":"` + secret + ` is not authorized"}`, "want the rights s3vectors:ListIndexes"},
		"no right to list":        {"/ListIndexes", 1, 403, "AccessDeniedException", `{}`, "want the rights"},
		"no right to metadata":    {"/ListVectors", 1, 403, "AccessDeniedException", `{}`, "want the rights"},
		"no bucket":               {"/ListIndexes", 1, 404, "NotFoundException", `{"message":"no such bucket"}`, "no such bucket"},
		"none of its pages":       {"/ListVectors", 2, 404, "NotFoundException", `{"message":"no such index"}`, "no such index"},
		"half a page":             {"/ListVectors", 1, 200, "", `{"vectors":[{"key":"a"`, "list the vectors"},
		"no list of vectors":      {"/ListVectors", 2, 200, "", `{}`, "the answer has no list"},
		"no list of indexes":      {"/ListIndexes", 1, 200, "", `{"vectorBuckets":[]}`, "the answer has no list"},
		"stands still":            {"/ListVectors", 1, 200, "", `{"vectors":[],"nextToken":"a"}`, "does not go on"},
		"indexes stand still":     {"/ListIndexes", 1, 200, "", `{"indexes":[],"nextToken":"a"}`, "does not go on"},
		"another program":         {"/ListIndexes", 1, 200, "", `<html>nothing here</html>`, "list the indexes"},
		"somewhere else":          {"/ListIndexes", 1, 302, "", ``, "list the indexes"},
		"a proxy's no":            {"/ListVectors", 1, 404, "", `not here`, "404"},
		"cannot be deleted there": {"/DeleteVectors", 1, 400, "ValidationException", `{"message":"read-only"}`, "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newPaged(t, 2, 1)
			file := uuid.NewString()
			a.insert(t, append(vectorstest.MakeChunks(3, vectorstest.Base, file), vectorstest.MakeChunks(3, vectors.FileCollection(file), file)...)...)
			behind, err := url.Parse(a.url)
			require.NoError(t, err)
			proxy := httputil.NewSingleHostReverseProxy(behind)
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == c.path && asked.Add(1) >= c.from {
					w.Header().Set("X-Amzn-ErrorType", c.kind)
					w.WriteHeader(c.status)
					fmt.Fprint(w, c.answer)
					return
				}
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			store := a.storeAt(t, server.URL)
			_, err = store.Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)

			_, err = a.store(t).Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, err)
			require.Empty(t, a.left(t))
		})
	}
}

// A service that has too much to do is asked again.
func TestBusyServiceIsAskedAgain(t *testing.T) {
	t.Parallel()
	a := newPaged(t, 2, 1)
	behind, err := url.Parse(a.url)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) {
		case 1:
			refuse(w, http.StatusTooManyRequests, "TooManyRequestsException")
		case 2:
			refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException")
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	require.NoError(t, a.storeAt(t, server.URL).Check(t.Context()))
	require.EqualValues(t, 3, asked.Load())
}

func TestServiceThatIsAway(t *testing.T) {
	t.Parallel()
	store := s3vector.NewStore(configurationOf(fmt.Sprintf("http://127.0.0.1:%d", testenv.FreePort(t))), s3vector.Options{Bucket: "b", Region: region})
	t.Cleanup(store.Close)
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	_, err := store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.Check(ctx), context.Canceled)
}

// A bucket that is not there has no answer, and is not empty.
func TestBucketThatIsNotThere(t *testing.T) {
	t.Parallel()
	a := newMoto(t)
	a.bucket = "another-" + a.bucket
	require.ErrorIs(t, a.store(t).Check(t.Context()), vectors.ErrUnusable)
}

// The environment says where the service is and who we are, as it does to the application.
func TestSettingsOfAWS(t *testing.T) {
	var signed atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed.Store(r.Header.Get("Authorization"))
		fmt.Fprint(w, `{"indexes":[]}`)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "who", "AWS_SECRET_ACCESS_KEY": secret,
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none", "AWS_REGION": "elsewhere",
	} {
		t.Setenv(name, value)
	}
	store, err := s3vector.New(t.Context(), s3vector.Options{Bucket: "b", Region: region})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	require.NoError(t, store.Check(t.Context()))
	require.Contains(t, signed.Load(), "Credential=who/")
	require.Contains(t, signed.Load(), "/"+region+"/s3vectors/")
	require.Equal(t, "s3vector, bucket b in "+region+" at "+strings.TrimPrefix(server.URL, "http://"), store.Info().Name)

	t.Setenv("AWS_PROFILE", "nobody")
	_, err = s3vector.New(t.Context(), s3vector.Options{Bucket: "b", Region: region})
	require.ErrorContains(t, err, "read AWS's settings")
}

func TestNameOfAmazons(t *testing.T) {
	t.Parallel()
	configuration := configurationOf("")
	configuration.BaseEndpoint = nil
	store := s3vector.NewStore(configuration, s3vector.Options{Bucket: "b", Region: region})
	t.Cleanup(store.Close)
	require.Equal(t, vectors.Info{Name: "s3vector, bucket b in " + region}, store.Info())
}
