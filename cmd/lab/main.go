// Command lab shows and measures pruned on scratch databases that hold Open
// WebUI's real schema. It is for developers: no part of the program.
//
// Its central idea is that it measures the program itself, as an operator would
// start it, beside what it is compared with, on copies of the same data in the
// same run.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli struct {
		Demo        demoCmd        `cmd:"" help:"10,000 files of which 3,000 are orphans, cleaned before your eyes."`
		Bench       benchCmd       `cmd:"" help:"Print a table of rates, memory, sessions and commits."`
		Bytes       bytesCmd       `cmd:"" help:"Remove bytes by the client of their store and by the program, and print both rates."`
		Peak        peakCmd        `cmd:"" help:"Remove files with their vectors and bytes, wherever they are, and fail where the program takes more memory than it may."`
		Compat      compatCmd      `cmd:"" help:"A row for each release of Open WebUI: the suites and a small world on the schema that its own migrations make."`
		Load        loadCmd        `cmd:"" help:"Hold a load of events beside an application that writes, and compare what its writes take without and with it."`
		Race        raceCmd        `cmd:"" help:"Attach files while they are deleted, and count what is lost."`
		Kill        killCmd        `cmd:"" help:"Kill drains at random moments, and see that nothing is lost or left."`
		KillRestore killRestoreCmd `cmd:"" help:"Kill drains, and restores of what they deleted, and see that every file is there or in the trash."`
		KillSweep   killSweepCmd   `cmd:"" help:"Kill sweeps at random moments, and see that nothing is lost or left."`
		Faults      faultsCmd      `cmd:"" help:"End the program at each of its named moments, and see that nothing is lost or left."`
		Replicas    replicasCmd    `cmd:"" help:"Three daemons on one PostgreSQL and three servers of JetStream, killed, cut off and upgraded."`
		Chaos       chaosCmd       `cmd:"" help:"Faults of servers, networks and folders in the midst of the work, one after the other."`
		Node        nodeCmd        `cmd:"" hidden:""`
	}
	parsed := kong.Parse(&cli, kong.Name("lab"), kong.BindTo(ctx, (*context.Context)(nil)))
	if parsed.Command() == "node" {
		return exitCode(cli.Node.Run(ctx))
	}
	return exitCode(inLab(ctx, func(l *lab) error { return parsed.Run(l) }))
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	return 0
}
