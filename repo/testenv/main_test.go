package testenv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// serveVariable makes the test program a process that has a server and waits
// to be killed.
const serveVariable = "REPOTEST_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		os.Exit(serve())
	}
	testenv.Main(m)
}

func serve() int {
	server, err := testenv.StartServer(context.Background(), testenv.ServerOptions{Empty: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(server.URL("postgres"))
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func TestServerDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"=1")
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // never written to
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	url = strings.TrimSpace(url)
	conn := connect(t, url)

	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	_, err = conn.WaitForNotification(t.Context()) // returns when the server is gone
	require.Error(t, err)
	_, err = pgx.Connect(t.Context(), url)
	require.Error(t, err)
}
