package openwebui

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"
)

const (
	startPatience = 10 * time.Minute // it migrates its database first
	stopPatience  = 20 * time.Second
)

// App is a running Open WebUI. Its embedded Client speaks as the administrator.
type App struct {
	*Client
	options Options
	python  string
	stub    *stub
	process *process
}

// Start installs Open WebUI if need be, starts it, waits until it is healthy, and signs up (or, on a
// database that has one, signs in) the administrator. The caller stops it.
func Start(ctx context.Context, o Options) (*App, error) {
	python, err := Install(ctx)
	if err != nil {
		return nil, err
	}
	server := &server{http: &http.Client{Transport: &http.Transport{}}}
	app := &App{Client: &Client{server: server}, options: o, python: python, stub: newStub()}
	if err := app.start(ctx); err != nil {
		app.stub.Close()
		return nil, err
	}
	if err := app.signIn(ctx); err != nil {
		return nil, errors.Join(err, app.Stop())
	}
	return app, nil
}

// Stop ends the application, and the stub behind it.
func (a *App) Stop() error {
	defer a.stub.Close()
	return a.stop()
}

// Halt ends the application and leaves its data alone, until Restart.
func (a *App) Halt() error { return a.stop() }

// Restart stops the application, if it runs, and starts it again on the same data. Every Client made
// before stays valid.
func (a *App) Restart(ctx context.Context) error {
	if err := a.stop(); err != nil {
		return err
	}
	return a.start(ctx)
}

// Kill ends the application without warning, as a crash would. Restart brings it back.
func (a *App) Kill() error { return a.process.kill() }

func (a *App) stop() error {
	a.server.http.CloseIdleConnections()
	return a.process.stop(stopPatience)
}

// BeforeEmbedding has do called whenever the application wants embeddings, for which it waits as long
// as do takes; nil ends that.
func (a *App) BeforeEmbedding(do func()) {
	if do == nil {
		a.stub.before.Store(nil)
		return
	}
	a.stub.before.Store(&do)
}

// UploadDir is where the bytes of files lie, as {file id}_{name}.
func (a *App) UploadDir() string { return filepath.Join(a.options.DataDir, "uploads") }

// Log is the file with the application's output.
func (a *App) Log() string { return filepath.Join(a.options.DataDir, "open-webui.log") }
