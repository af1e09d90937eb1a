// Package reflector loads a reflector in a separate process with voice streams over
// loopback, optionally during a flood from another client, and measures loss, delay
// and resource usage.
package reflector

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// ChildArg is the hidden first argument that makes the program run the reflector.
const ChildArg = "reflector-child"

// Limits; higher values would measure this computer instead of the reflector.
const (
	maxStreams  = 5000
	maxDuration = 5 * time.Minute
)

var (
	// ErrUsage means that the arguments are invalid.
	ErrUsage = errors.New("wrong usage")
	// ErrLost means that the reflector lost packets, or that an agent from another
	// address got no relay during a flood.
	ErrLost = errors.New("the reflector lost packets or refused a relay")
)

// Command runs one measurement and writes its results to out.
func Command(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("reflector", flag.ContinueOnError)
	flags.SetOutput(out)
	streams := flags.Int("streams", 1000, "voice streams at once, 1 to 5000")
	duration := flags.Duration("for", 20*time.Second, "how long to send, up to 5m")
	flood := flags.String("flood", "", "one of "+floodNames())
	pion := flags.Bool("pion", false, "measure peer connections of pion/webrtc in place of the reflector, to compare")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if _, ok := floods[*flood]; !ok && *flood != "" {
		return fmt.Errorf("%w: -flood is one of %s", ErrUsage, floodNames())
	}
	if *pion && *flood != "" {
		return fmt.Errorf("%w: -pion has no relay, which -flood needs", ErrUsage)
	}
	if *streams < 1 || *streams > maxStreams || *duration < time.Second || *duration > maxDuration {
		return fmt.Errorf("%w: -streams is 1 to 5000, -for is 1s to 5m", ErrUsage)
	}
	f, err := load(ctx, *streams, *duration, *flood, *pion)
	if err != nil {
		return err
	}
	f.write(out)
	if f.ownLoss() > 0 || f.bystander.failed > 0 {
		return ErrLost
	}
	return nil
}
