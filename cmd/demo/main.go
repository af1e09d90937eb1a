// Command demo is a first look at Tonprobe: it starts a collector with an empty store and its
// reflector on this machine, enrols one participant, performs one real check, prints the
// result, and leaves the dashboard open. With --evening it performs no check, and fills the
// dashboard with a made-up evening of a council instead.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Exit statuses, the same as those of tonprobe.
const (
	exitOK     = 0
	exitUsage  = 64
	exitFailed = 70
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == audio.ChildArg {
		os.Exit(audio.ChildMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) > 1 && os.Args[1] == proxy.ChildArg {
		os.Exit(proxy.ChildMain(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run runs the program and returns the exit status.
func run(ctx context.Context, args []string) int {
	o, err := parse(args, os.Getenv)
	if errors.Is(err, errHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	}
	return perform(ctx, o)
}

// perform runs the demo and returns the exit status. It says so if it was ended before it was complete.
func perform(ctx context.Context, o options) int {
	status, err := show(ctx, o)
	switch {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintln(o.out(), "\n"+o.texts.T("stopping"))
	case err != nil:
		fmt.Fprintln(os.Stderr, o.texts.T("failed", "why", err))
		return exitFailed
	}
	return status
}

// exitStatus returns the exit status for a verdict, like tonprobe.
func exitStatus(v report.Verdict) int {
	switch v {
	case report.Ready:
		return 0
	case report.Limited:
		return 1
	case report.NotReady:
		return 2
	}
	return 3
}
