package embedded

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// ownerVar makes of the test binary a process that owns a queue until it is
// killed.
const ownerVar = "PRUNED_TEST_OWNER"

const anyPort = "127.0.0.1:0"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVar); dir != "" {
		if err := ownForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	testenv.Main(m)
}

// owned is out of the collector's reach, which would close the lock's file.
var owned *Server

// ownForEver opens a queue, stores a message, says so, and never closes.
func ownForEver(dir string) error {
	var err error
	if owned, err = Open(Options{Dir: dir, Listen: anyPort}); err != nil {
		return err
	}
	nc, err := owned.Conn(context.Background())
	if err != nil {
		return err
	}
	if err := store(context.Background(), nc, "from the killed one"); err != nil {
		return err
	}
	runtime.GC()
	fmt.Println("stored")
	select {}
}

func store(ctx context.Context, nc *nats.Conn, text string) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, MaxBytes: 1 << 30}); err != nil {
		return err
	}
	_, err = js.Publish(ctx, "s", []byte(text))
	return err
}

func last(t *testing.T, nc *nats.Conn) string {
	t.Helper()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	s, err := js.Stream(t.Context(), "S")
	require.NoError(t, err)
	msg, err := s.GetLastMsgForSubject(t.Context(), "s")
	require.NoError(t, err)
	return string(msg.Data)
}

func open(t *testing.T, dir, listen string) *Server {
	t.Helper()
	s, err := Open(Options{Dir: dir, Listen: listen, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStoreOutlivesItsServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	for _, text := range []string{"one", "two"} {
		s, err := Open(Options{Dir: dir})
		require.NoError(t, err)
		require.Empty(t, s.Address())
		nc, err := s.Conn(t.Context())
		require.NoError(t, err)
		if text == "two" {
			require.Equal(t, "one", last(t, nc))
		}
		require.NoError(t, store(t.Context(), nc, text))
		nc.Close()
		require.NoError(t, s.Close())
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "queue")
	s := open(t, dir, anyPort)
	for name, mode := range map[string]os.FileMode{"": 0o700, secretFile: 0o600, addressFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	address, err := readAddress(dir)
	require.NoError(t, err)
	require.Equal(t, s.Address(), address)
	require.True(t, strings.HasPrefix(address, "127.0.0.1:"))
}

func TestSecondOwnerIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, anyPort)
	_, err := Open(Options{Dir: dir})
	require.ErrorIs(t, err, ErrOwned)
	require.ErrorContains(t, err, dir)
	address, err := readAddress(dir)
	require.NoError(t, err)
	require.Equal(t, s.Address(), address, "the refused one has touched nothing")
}

// A process that stays waits for one that has the queue for a moment.
func TestOwnWaitsForAShortCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nc, end, err := Connect(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	require.NotNil(t, nc)
	ctx, cancel := context.WithTimeout(t.Context(), 3*ownerPoll)
	defer cancel()
	_, err = Own(ctx, Options{Dir: dir, Listen: anyPort})
	require.ErrorIs(t, err, context.DeadlineExceeded, "it would have gone on")
	require.NoError(t, end())
	mine, err := Own(t.Context(), Options{Dir: dir, Listen: anyPort})
	require.NoError(t, err)
	require.NoError(t, mine.Close())

	s := open(t, dir, anyPort)
	_, err = Own(t.Context(), Options{Dir: dir})
	require.ErrorIs(t, err, ErrOwned, s.Address())
	require.NotContains(t, err.Error(), "does not listen")
}

func TestOnlyWhoKnowsTheSecretConnects(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), anyPort)
	_, err := nats.Connect("nats://" + s.Address())
	require.ErrorIs(t, err, nats.ErrAuthorization)
	_, err = nats.Connect("nats://"+s.Address(), nats.Token("guess"))
	require.ErrorIs(t, err, nats.ErrAuthorization)
}

func TestCommandUsesTheDaemonsQueue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, anyPort)
	nc, end, err := Connect(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, store(t.Context(), nc, "from a command"))
	require.NoError(t, end())

	own, err := s.Conn(t.Context())
	require.NoError(t, err)
	defer own.Close()
	require.Equal(t, "from a command", last(t, own))
}

func TestCommandOpensTheStoreItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nc, end, err := Connect(t.Context(), Options{Dir: dir, Listen: anyPort})
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, addressFile))
	require.NoError(t, store(t.Context(), nc, "alone"))

	// Another command waits for the first one to end.
	type connected struct {
		nc  *nats.Conn
		end func() error
		err error
	}
	second := make(chan connected, 1)
	go func() {
		nc, end, err := Connect(t.Context(), Options{Dir: dir})
		second <- connected{nc, end, err}
	}()
	require.NoError(t, end())
	other := <-second
	require.NoError(t, other.err)
	require.Equal(t, "alone", last(t, other.nc))
	require.NoError(t, other.end())
	open(t, dir, "")
}

func TestCommandDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir, "") // an owner that does not listen
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(context.DeadlineExceeded)
	_, _, err := Connect(ctx, Options{Dir: dir})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestKilledOwnerLeavesAStoreThatOpens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerVar+"="+dir)
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "stored\n", line)
	_, err = Open(Options{Dir: dir})
	require.ErrorIs(t, err, ErrOwned)

	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	require.FileExists(t, filepath.Join(dir, addressFile), "nobody tidied up")

	nc, end, err := Connect(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, "from the killed one", last(t, nc))
	require.NoFileExists(t, filepath.Join(dir, addressFile))
	require.NoError(t, end())
}

func TestClientFindsARestartedServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir, Listen: fmt.Sprint("127.0.0.1:", testenv.FreePort(t))}) // nobody else's meanwhile
	require.NoError(t, err)
	nc, end, err := Connect(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	back := nc.StatusChanged(nats.CONNECTED)
	address := s.Address()
	require.NoError(t, s.Close())
	open(t, dir, address)
	select {
	case <-back:
	case <-time.After(time.Minute):
		require.FailNow(t, "the client did not come back")
	}
	require.NoError(t, end())
}

func TestAddressMustBeOfThisMachine(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:4222", ":4222", "192.0.2.1:4222", "example.org:4222", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"} {
		_, err := Open(Options{Dir: t.TempDir(), Listen: listen})
		require.ErrorContains(t, err, "PRUNED_NATS_LISTEN", listen)
		require.ErrorContains(t, err, listen)
	}
	open(t, t.TempDir(), "[::1]:0")
	open(t, t.TempDir(), "localhost:0")
}

func TestPortInUseIsSaid(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", anyPort)
	require.NoError(t, err)
	defer l.Close()
	dir := t.TempDir()
	_, err = Open(Options{Dir: dir, Listen: l.Addr().String()})
	require.ErrorContains(t, err, "address already in use")
	open(t, dir, anyPort) // and nothing is left locked
}

func TestDamagedSecretIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, secretFile), nil, 0o600))
	open(t, dir, anyPort)
	_, err := readSecret(dir)
	require.NoError(t, err)
}
