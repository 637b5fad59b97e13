package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// daemonStatus is what the daemon of this installation tells that listens on this machine.
// Only it knows when it last swept, and how many chunks and bytes went.
type daemonStatus struct {
	State  string `json:"state"` // ready, not ready, or none
	Detail string `json:"detail,omitempty"`

	Started *time.Time   `json:"started,omitempty"`
	Sweep   *sweepStatus `json:"last_sweep,omitempty"`
	Chunks  int64        `json:"removed_chunks"` // since its start, as are the bytes
	Bytes   int64        `json:"removed_bytes"`
}

type sweepStatus struct {
	At        *time.Time `json:"last_success,omitempty"`
	Took      float64    `json:"duration_s"`
	Orphans   int64      `json:"orphans"`
	Published int64      `json:"published"`
	Held      int64      `json:"held"`
	Failures  int64      `json:"consecutive_failures"`
}

// The states of a daemon.
const (
	daemonReady   = "ready"
	daemonUnready = "not ready"
	daemonNone    = "none"
)

// daemonAddress is where the daemon of these settings answers. It is not known where
// PRUNED_HTTP leaves the port open.
func (c *command) daemonAddress() (url string, known bool) {
	host, port, err := net.SplitHostPort(c.cli.HTTP.Listen)
	if err != nil || port == "0" {
		return "", false
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), true
}

func (s *status) readDaemon(ctx context.Context, c *command, a *app) error {
	s.Daemon = &daemonStatus{State: daemonNone, Detail: "nothing answers on " + c.cli.HTTP.Listen}
	address, known := c.daemonAddress()
	if !known {
		s.Daemon.Detail = "PRUNED_HTTP leaves open where it answers"
		return nil
	}
	status, body, whose, err := askDaemon(ctx, address+"/readyz")
	switch {
	case err != nil:
		return ctx.Err()
	case whose != hashIdentity(a.db.Identity().Key):
		s.Daemon.Detail = "another installation's, or none, answers on " + c.cli.HTTP.Listen
		return nil
	case status == http.StatusOK:
		s.Daemon.State, s.Daemon.Detail = daemonReady, ""
	default:
		s.Daemon.State, s.Daemon.Detail = daemonUnready, whyNot(body).Error()
	}
	status, body, _, err = askDaemon(ctx, address+"/metrics")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s/metrics answers %d", address, status)
	}
	if err == nil {
		s.Daemon.fillFrom(parseFigures(body))
	}
	return err
}

// fillFrom takes what a person wants to see out of what Prometheus is told.
func (d *daemonStatus) fillFrom(figures map[string]float64) {
	d.Started = timeOf(figures["process_start_time_seconds"])
	d.Chunks = int64(figures[`pruned_removed_total{kind="chunk"}`])
	d.Bytes = int64(figures[`pruned_removed_bytes_total{kind="object"}`])
	if _, swept := figures["pruned_sweep_last_duration_seconds"]; swept {
		d.Sweep = &sweepStatus{
			At: timeOf(figures["pruned_sweep_last_success_timestamp_seconds"]), Took: figures["pruned_sweep_last_duration_seconds"],
			Orphans: int64(figures["pruned_sweep_last_orphans"]), Published: int64(figures["pruned_sweep_last_published_events"]),
			Held: int64(figures["pruned_sweep_last_held_orphans"]), Failures: int64(figures["pruned_sweep_consecutive_failures"]),
		}
	}
}

// timeOf is a time in seconds since 1970, if it is one.
func timeOf(seconds float64) *time.Time {
	if seconds <= 0 {
		return nil
	}
	at := time.UnixMilli(int64(seconds * 1000)).UTC()
	return &at
}

// parseFigures reads the text of /metrics: a name with its labels, and a number, a line.
func parseFigures(text string) map[string]float64 {
	figures := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			figures[line[:at]] = value
		}
	}
	return figures
}
