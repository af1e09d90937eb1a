// Command reflector-load shows what a reflector bears: it starts one in a
// process of its own, sends it voice streams over loopback, and says what was
// lost, how long packets stayed and what it cost.
//
//	reflector-load -streams 1000 -for 20s
//	reflector-load -streams 100 -for 10s -flood idle
//
// With -flood, a stranger does its worst meanwhile, and an agent at another site
// uses TURN over TCP.
//
// Nothing leaves this machine. The exit status is 1 when the reflector lost
// packets of its own, or that agent got no relay.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// childArg is the hidden first argument that makes this program the reflector.
const childArg = "reflector-child"

// Bounds: more would measure this computer's limits and not the reflector's.
const (
	maxStreams  = 5000
	maxDuration = 5 * time.Minute
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		os.Exit(childMain(os.Stdin, os.Stdout))
	}
	streams := flag.Int("streams", 1000, "voice streams at once, 1 to 5000")
	duration := flag.Duration("for", 20*time.Second, "how long to send, up to 5m")
	flood := flag.String("flood", "", "one of "+floodNames())
	flag.Parse()
	if _, ok := floods[*flood]; !ok && *flood != "" {
		fmt.Fprintln(os.Stderr, "reflector-load: -flood is one of", floodNames())
		os.Exit(2)
	}
	if *streams < 1 || *streams > maxStreams || *duration < time.Second || *duration > maxDuration {
		fmt.Fprintln(os.Stderr, "reflector-load: -streams is 1 to 5000, -for is 1s to 5m")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	f, err := load(ctx, *streams, *duration, *flood)
	if err != nil {
		fmt.Fprintln(os.Stderr, "reflector-load:", err)
		os.Exit(2)
	}
	f.write(os.Stdout)
	if f.ownLoss() > 0 || f.bystander.failed > 0 {
		os.Exit(1)
	}
}
