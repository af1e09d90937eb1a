// Command load measures the capacity of the collector and its reflector, and
// attacks both: it starts the real programs on this machine, loads, floods or kills
// them or fills their disks, and counts what is lost.
//
//	load reports    deliver reports and open pages with a large database
//	load reflector  send voice streams through a reflector, with -flood under attack
//	load channel    connect many agents, and measure the memory of each connection
//	load kill       kill the collector and the agent at random times
//	load disk       fill the disks of both, or mount them read-only
//
// "load COMMAND -help" lists the options of a command. Nothing leaves this machine.
// The exit status is 0 if all checks passed, 1 if something was wrongly lost or
// refused, 2 if the measurement could not be run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/tonprobe/tonprobe/cmd/load/channels"
	"github.com/tonprobe/tonprobe/cmd/load/reflector"
	"github.com/tonprobe/tonprobe/cmd/load/reports"
	"github.com/tonprobe/tonprobe/cmd/load/rounds"
)

// commands lists the measurements by name. Each writes its results.
var commands = []struct {
	name string
	run  func(ctx context.Context, args []string, out io.Writer) error
}{
	{"reports", reports.Command},
	{"reflector", reflector.Command},
	{"channel", channels.Command},
	{"kill", rounds.Kill},
	{"disk", rounds.Disk},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == reflector.ChildArg {
		os.Exit(reflector.Child(os.Args[2:], os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// broken contains the errors that mean that a check failed. Any other error means
// that the measurement could not be run.
var broken = []error{channels.ErrLost, reflector.ErrLost, reports.ErrLost, rounds.ErrBroken}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	if len(args) > 0 {
		for _, c := range commands {
			if c.name != args[0] {
				continue
			}
			err := c.run(ctx, args[1:], out)
			if err == nil {
				return 0
			}
			_, _ = fmt.Fprintln(errs, "load:", err)
			for _, b := range broken {
				if errors.Is(err, b) {
					return 1
				}
			}
			return 2
		}
	}
	_, _ = fmt.Fprint(errs, "load: give one of these commands:")
	for _, c := range commands {
		_, _ = fmt.Fprint(errs, " ", c.name)
	}
	_, _ = fmt.Fprintln(errs)
	return 2
}
