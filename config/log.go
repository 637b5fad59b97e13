package config

// Log is what is written to stderr, and how.
type Log struct {
	Level  string `name:"log-level" env:"PRUNED_LOG_LEVEL" default:"info" help:"trace, debug, info, warn or error."`
	Format string `name:"log-format" env:"PRUNED_LOG_FORMAT" default:"auto" help:"console, json, or auto: console on a terminal."`
}

func (l Log) checkLog(ps *problems) {
	checkOneOf(ps, "PRUNED_LOG_LEVEL", l.Level, "trace", "debug", "info", "warn", "error")
	checkOneOf(ps, "PRUNED_LOG_FORMAT", l.Format, "auto", "json", "console")
}
