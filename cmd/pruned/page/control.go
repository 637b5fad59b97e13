package page

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"pruned/consumer"
)

// pauseWork pauses every process of the installation, as the command does.
func pauseWork(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	since, was, err := open.Queue.Pause(ctx, userOf(r))
	switch {
	case err != nil:
		return "", err
	case was:
		return fmt.Sprintf("It is paused already, by %s.", since.By), nil
	}
	return "Paused: no batch begins and nothing is removed.", record(ctx, open, r, "paused", "", "paused")
}

// resumeWork lets it go on.
func resumeWork(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	was, err := open.Queue.Resume(ctx)
	switch {
	case err != nil:
		return "", err
	case !was:
		return "It was not paused.", nil
	}
	return "Resumed.", record(ctx, open, r, "resumed", "", "resumed")
}

// setRate says how many events a second each process handles at most.
func setRate(ctx context.Context, _ *Page, open *Open, r *http.Request) (string, error) {
	text := strings.TrimSpace(r.PostForm.Get("rate"))
	perSecond, err := consumer.ParseRate(text)
	if err != nil {
		return "", requestError{err}
	}
	if err := open.Queue.SetRate(ctx, perSecond, userOf(r)); err != nil {
		return "", err
	}
	return "The rate is " + text + " now.", record(ctx, open, r, "rate", "", "set the rate to "+text)
}
