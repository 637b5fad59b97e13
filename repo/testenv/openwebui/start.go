package openwebui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
)

// start hands the application a socket that already listens: no port can be lost to another
// process, and a request waits until the application takes it, so there is nothing to poll.
func (a *App) start(ctx context.Context) error {
	socket, err := a.listen()
	if err != nil {
		return err
	}
	err = a.spawn(socket)
	// The application alone listens now: if it dies, a request fails instead of waiting.
	if err := errors.Join(err, socket.Close()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := a.server.call(ctx, "", http.MethodGet, "/health", nil, nil); err != nil {
		return errors.Join(fmt.Errorf("wait for Open WebUI: %w%s", err, a.lastWords()), a.Kill())
	}
	return nil
}

// listen opens a socket on a free port and points the clients to it.
//
// uvicorn takes a socket that it is handed for a local one, and so does not turn off Nagle's algorithm
// as it otherwise does: every answer on a connection that is used again would take 40 ms more, in
// which whatever slows the application down does not show. Connections inherit it from the socket.
func (a *App) listen() (*os.File, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		failed := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		})
		return errors.Join(err, failed)
	}}
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for Open WebUI: %w", err)
	}
	a.server.url = "http://" + listener.Addr().String()
	socket, err := listener.(*net.TCPListener).File()
	return socket, errors.Join(err, listener.Close())
}

func (a *App) spawn(socket *os.File) error {
	log, err := os.OpenFile(a.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of Open WebUI: %w", err)
	}
	defer log.Close()
	// The first of ExtraFiles is descriptor 3.
	cmd := exec.Command(a.python, "-m", "uvicorn", "open_webui.main:app", "--fd", "3", "--timeout-graceful-shutdown", "5")
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Dir = a.options.DataDir
	cmd.Env = a.options.environment(a.stub.URL)
	cmd.Stdout, cmd.Stderr = log, log
	child, err := startProcess(cmd)
	if err != nil {
		return err
	}
	a.process = child
	return nil
}

// lastWords is what the application logged last, to end an error with.
func (a *App) lastWords() string {
	out, err := os.ReadFile(a.Log())
	if err != nil {
		return ""
	}
	return "\n" + tail(out)
}
