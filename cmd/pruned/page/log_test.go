package page

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// What is kept is bounded in lines and in their length, and each entry stays one line.
func TestLogKeepsTheLast(t *testing.T) {
	t.Parallel()
	l := &Log{}
	log := zerolog.New(zerolog.MultiLevelWriter(l)).Level(zerolog.DebugLevel)
	log.Debug().Msg("a detail")
	require.Empty(t, l.Text())
	log.Info().Time("time", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)).Str("name", "a\nb").Int64("n", 1<<60).Msg("done")
	require.Equal(t, "2026-01-02 03:04:05 info  done n=1152921504606846976 name=a b", l.Text())
	for range maxLogLines - 1 {
		log.Warn().Str("long", strings.Repeat("ä", 2*maxLogLine)).Send()
	}
	lines := strings.Split(l.Text(), "\n")
	require.Len(t, lines, maxLogLines)
	require.Contains(t, lines[0], "done")
	log.Error().Msg("the last")
	lines = strings.Split(l.Text(), "\n")
	require.Len(t, lines, maxLogLines)
	require.NotContains(t, lines[0], "done")
	require.Len(t, []rune(lines[0]), maxLogLine)
	require.Contains(t, lines[maxLogLines-1], "error the last")
	_, err := l.Write([]byte("no JSON\n"))
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(l.Text(), "\nno JSON"))
}
