package main

import (
	"fmt"
	"strings"
	"time"

	"pruned/config"
)

type configCmd struct{}

// shownSetting is one setting as config prints it.
type shownSetting struct {
	Name   string        `json:"setting"`
	Value  string        `json:"value"` // as one would set it; *** for a secret
	Source config.Source `json:"source"`
	File   string        `json:"file,omitempty"` // that it was read from

	group string
}

// Run shows the settings as they hold, and where each comes from. It opens nothing.
func (configCmd) Run(ctx *runContext, settings *config.Settings) error {
	shown := listShown(settings)
	if ctx.isJSON() {
		return ctx.printObject(map[string]any{"settings": shown, "assumed": append([]string{}, ctx.cli.Assumed...)})
	}
	return ctx.printTable(func(line func(...any)) {
		line("SETTING", "VALUE", "FROM")
		group := ""
		for _, s := range shown {
			if s.group != group {
				group = s.group
				line(group, "", "")
			}
			line("  "+s.Name, s.describeValue(), s.describeSource())
		}
		for _, sentence := range ctx.cli.Assumed {
			line("\n" + sentence)
		}
	})
}

func listShown(settings *config.Settings) []shownSetting {
	shown := []shownSetting{}
	for _, s := range settings.List() {
		shown = append(shown, shownSetting{s.Name, formatSetting(s.Value), s.Source, s.File, s.Group})
	}
	return shown
}

func (s shownSetting) describeValue() string {
	if s.Value == "" {
		return "-"
	}
	return s.Value
}

func (s shownSetting) describeSource() string {
	if s.File == "" {
		return string(s.Source)
	}
	return fmt.Sprintf("%s (%s)", s.Source, s.File)
}

// formatSetting writes a value as one would set it.
func formatSetting(value any) string {
	switch value := value.(type) {
	case time.Duration:
		return shortDuration(value)
	case []string:
		return strings.Join(value, ",")
	}
	return fmt.Sprint(value)
}
