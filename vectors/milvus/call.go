package milvus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"pruned/vectors"
)

const (
	// answerPatience bounds the wait for an answer to one request: the engine may take
	// minutes to drop a collection while it is loading others.
	answerPatience = 5 * time.Minute
	// A server that has too much to do is asked again so often, after pauses of which each
	// is twice the one before.
	triesOfBusy, firstPause = 5, 250 * time.Millisecond
	// longestComplaint bounds what an error quotes of the server's.
	longestComplaint = 300
)

// What the server's answers mean to us, whatever their words.
var (
	errMissing  = errors.New("there is no such collection")
	errUnloaded = errors.New("the collection is not loaded")
	errTooLarge = errors.New("the answer is too large")
	errBusy     = errors.New("the server has too much to do")
)

// Codes of Milvus (pkg/merr/errors.go), and those of before 2.3.
const (
	codeBusy          = 8
	codeMissing       = 100
	codeUnloaded      = 101
	codePartlyLoaded  = 103
	codePartsUnloaded = 201
	codeNoRight       = 1402

	oldCodeMissing = commonpb.ErrorCode_CollectionNotExists
	oldCodeBusy    = commonpb.ErrorCode_RateLimit
	oldCodeNoRight = commonpb.ErrorCode_PermissionDenied
)

// method is one of the server's, as its client has it.
type method[In, Out any] func(context.Context, In, ...grpc.CallOption) (Out, error)

// call sends one request; doing says what for.
func call[In, Out any](ctx context.Context, s *Store, doing string, m method[In, Out], in In) (out Out, err error) {
	for n, pause := 1, firstPause; ; n, pause = n+1, 2*pause {
		if out, err = callOnce(ctx, m, in); !errors.Is(err, errBusy) || n == triesOfBusy {
			break
		}
		if ended := vectors.Wait(ctx, pause); ended != nil {
			return out, s.describeFailure(doing, ended)
		}
	}
	if err != nil {
		return out, s.describeFailure(doing, err)
	}
	return out, nil
}

func callOnce[In, Out any](ctx context.Context, m method[In, Out], in In) (Out, error) {
	bounded, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	out, err := m(bounded, in)
	switch {
	case err == nil:
		return out, readStatus(out)
	case ctx.Err() != nil:
		return out, ctx.Err()
	case status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max"):
		return out, errTooLarge
	case status.Code(err) == codes.ResourceExhausted:
		return out, fmt.Errorf("%w: %w", errBusy, err)
	default:
		return out, err
	}
}

// readStatus is the error that an answer tells of.
func readStatus(out any) error {
	s, is := out.(*commonpb.Status)
	if !is {
		s = out.(interface{ GetStatus() *commonpb.Status }).GetStatus()
	}
	old := s.GetErrorCode() //nolint:staticcheck // all that servers before 2.3 say
	if s.GetCode() == 0 && old == commonpb.ErrorCode_Success {
		return nil
	}
	said := errors.New(s.GetReason())
	switch s.GetCode() {
	case codeMissing:
		return fmt.Errorf("%w: %w", errMissing, said)
	case codeUnloaded, codePartlyLoaded, codePartsUnloaded:
		return fmt.Errorf("%w: %w", errUnloaded, said)
	case codeBusy:
		return fmt.Errorf("%w: %w", errBusy, said)
	case codeNoRight:
		return status.Error(codes.PermissionDenied, s.GetReason())
	}
	switch old {
	case oldCodeMissing:
		return fmt.Errorf("%w: %w", errMissing, said)
	case oldCodeBusy:
		return fmt.Errorf("%w: %w", errBusy, said)
	case oldCodeNoRight:
		return status.Error(codes.PermissionDenied, s.GetReason())
	}
	return fmt.Errorf("%w (code %d)", said, s.GetCode())
}

// describeFailure marks every failure as the store's own, and hides what a server or a
// proxy may have quoted of our secrets.
func (s *Store) describeFailure(doing string, err error) error {
	text := err.Error()
	if len(text) > longestComplaint {
		text = strings.ToValidUTF8(text[:longestComplaint], "") + "..."
	}
	for _, secret := range s.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "*****")
		}
	}
	if code := status.Code(err); code == codes.PermissionDenied || code == codes.Unauthenticated {
		text += ": MILVUS_TOKEN wants the privileges Query, Load, GetLoadState, Delete, DropCollection and ShowCollections, for trace DescribeCollection"
	}
	return unusable("%s, at the Milvus server %s: %w", doing, s.host, &failure{text, err})
}

// failure is an error whose words are fit to be told.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }
