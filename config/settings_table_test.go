package config

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/config/secret"
)

var update = flag.Bool("update", false, "write the table of settings into README.md")

const (
	readme     = "../README.md"
	tableBegin = "<!-- settings: `make settings` writes this table -->\n"
	tableEnd   = "<!-- end of settings -->\n"
)

// README's table of settings is made from the struct that is parsed.
func TestReadmeTellsEverySetting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), tableBegin)
	require.True(t, found, "README.md has lost the line %q", tableBegin)
	table, after, found := strings.Cut(rest, tableEnd)
	require.True(t, found, "README.md has lost the line %q", tableEnd)
	want := settingsTable()
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(before+tableBegin+want+tableEnd+after), 0o600))
		return
	}
	require.Equal(t, strings.Split(want, "\n"), strings.Split(table, "\n"), "README.md tells of other settings than config: `make settings` mends that")
}

// settingsTable has a line a setting, in the order and the groups of Config.
func settingsTable() string {
	var table strings.Builder
	table.WriteString("| setting | default | |\n|---|---|---|\n")
	group := ""
	for section := range reflect.TypeFor[Config]().Fields() {
		if section.Type.Kind() != reflect.Struct || section.Tag.Get("group") == "" {
			continue
		}
		if title := section.Tag.Get("group"); title != group {
			group = title
			fmt.Fprintf(&table, "| **%s** | | |\n", group)
		}
		for field := range section.Type.Fields() {
			if name := field.Tag.Get("env"); name != "" {
				fmt.Fprintf(&table, "| `%s`%s | %s | %s |\n", name, fileOf(field), field.Tag.Get("default"), escaped(field.Tag.Get("help")))
			}
		}
	}
	return table.String()
}

// fileOf tells of secrets that a file can hold them.
func fileOf(field reflect.StructField) string {
	if field.Type == reflect.TypeFor[secret.Text]() {
		return ", or `_FILE`"
	}
	return ""
}

func escaped(cell string) string { return strings.ReplaceAll(cell, "|", `\|`) }
