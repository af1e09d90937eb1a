// Package reflector loads a reflector in a process of its own with voice streams
// over loopback, while a stranger floods it where that is asked for, and counts
// what was lost, how long packets stayed and what it cost.
package reflector

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// ChildArg is the hidden first argument that makes the program the reflector.
const ChildArg = "reflector-child"

// Bounds: more would measure this computer's limits and not the reflector's.
const (
	maxStreams  = 5000
	maxDuration = 5 * time.Minute
)

var (
	// ErrUsage says that the arguments are wrong.
	ErrUsage = errors.New("wrong usage")
	// ErrLost says that the reflector lost packets of its own, or that the agent at
	// another site got no relay during a flood.
	ErrLost = errors.New("the reflector lost packets or refused a relay")
)

// Command runs one measurement and writes its figures to out.
func Command(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("reflector", flag.ContinueOnError)
	flags.SetOutput(out)
	streams := flags.Int("streams", 1000, "voice streams at once, 1 to 5000")
	duration := flags.Duration("for", 20*time.Second, "how long to send, up to 5m")
	flood := flags.String("flood", "", "one of "+floodNames())
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if _, ok := floods[*flood]; !ok && *flood != "" {
		return fmt.Errorf("%w: -flood is one of %s", ErrUsage, floodNames())
	}
	if *streams < 1 || *streams > maxStreams || *duration < time.Second || *duration > maxDuration {
		return fmt.Errorf("%w: -streams is 1 to 5000, -for is 1s to 5m", ErrUsage)
	}
	f, err := load(ctx, *streams, *duration, *flood)
	if err != nil {
		return err
	}
	f.write(out)
	if f.ownLoss() > 0 || f.bystander.failed > 0 {
		return ErrLost
	}
	return nil
}
