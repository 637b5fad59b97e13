package dotenv

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What python-dotenv 1.2.4 makes of the same text, with HOME=/root set.
func TestEnvFileIsReadAsOpenWebUIReadsIt(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]map[string]string{
		"A=b":                              {"A": "b"},
		"\ufeffA=b\r\nC = d \r\n\r\nE=f":   {"A": "b", "C": "d", "E": "f"},
		"# comment\n  export A=b # c\n":    {"A": "b"},
		"A=b#c\nD= # e\nF=#g":              {"A": "b#c", "D": "", "F": "#g"},
		"A='b # c' # d\nE=\"f\\ng\\$\"":    {"A": "b # c", "E": "f\ng\\$"},
		"A='it\\'s\\n'":                    {"A": "it's\\n"},
		"A=\"two\nlines\"\nB=c":            {"A": "two\nlines", "B": "c"},
		"A=pa$S1$(x)word":                  {"A": "pa$S1$(x)word"},
		"A=b\nC=${A}/${X:-d}/${Y}/${HOME}": {"A": "b", "C": "b/d///root"},
		"A='${HOME}'":                      {"A": "/root"},
		"A\nB=c":                           {"B": "c"},
		"'A'=b":                            {"A": "b"},
		"HOME=/other":                      {},
		"":                                 {},
	} {
		values := map[string]string{"HOME": "/root"}
		require.NoError(t, Merge(values, content), content)
		delete(values, "HOME")
		assert.Equal(t, want, values, content)
	}
}

func TestEnvFileLineThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"A=b\n=hunter2":        "line 2 cannot be read: wanted NAME=value",
		"A=b\r\n\r\nC d":       "line 3 cannot be read: wanted NAME=value",
		"A='hunter2\n\nB=c":    "line 1 cannot be read: wanted NAME=value",
		"A=\"hunter2\" hunter": "line 1 cannot be read: wanted NAME=value",
	} {
		assert.EqualError(t, Merge(map[string]string{}, content), want)
	}
}
