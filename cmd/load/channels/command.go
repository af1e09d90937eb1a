// Package channels connects many agents to a collector in a separate process, and
// measures the memory of each connection.
package channels

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

var (
	// ErrUsage means that the arguments are invalid.
	ErrUsage = errors.New("wrong usage")
	// ErrLost means that an agent was not connected, or no longer at the end.
	ErrLost = errors.New("agents were not connected")
)

type options struct {
	agents, dialers int
	settle          time.Duration
	collector       string
}

// Command runs one measurement and writes its results to out.
func Command(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("channel", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.agents, "agents", 2000, "agents to connect, at most 30000")
	flags.IntVar(&o.dialers, "dialers", 32, "agents that connect at the same time")
	flags.DurationVar(&o.settle, "settle", 30*time.Second, "time between the last connection and the measurement")
	flags.StringVar(&o.collector, "collector", "", "the collector's program `file` (default: built from this repository)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if o.agents < 1 || o.agents > 30_000 || o.dialers < 1 {
		return fmt.Errorf("%w: a number is too small or too large", ErrUsage)
	}
	// Each agent needs one open file here and one in the collector, which inherits the limit.
	if err := raiseFileLimit(uint64(o.agents) + 200); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tonprobe-load-*")
	if err != nil {
		return fmt.Errorf("create a working directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if o.collector == "" {
		if o.collector, err = rig.Build(ctx, work, "tonprobe-collector"); err != nil {
			return err
		}
	}
	return measure(ctx, o, work, out)
}

func measure(ctx context.Context, o options, work string, out io.Writer) error {
	data := filepath.Join(work, "data")
	agents, err := fill(ctx, data, o.agents)
	if err != nil {
		return err
	}
	certFile, keyFile, err := writeCertificate(work)
	if err != nil {
		return err
	}
	c, err := rig.Serve(ctx, o.collector, data, "--tls-cert", certFile, "--tls-key", keyFile)
	if err != nil {
		return err
	}
	before, known := rig.UsageOf(c.PID())
	began := time.Now()
	open, faults := connectAll(ctx, o, c.URL, agents)
	took := time.Since(began)
	defer func() {
		for _, a := range open {
			_ = a.Close()
		}
	}()
	_, _ = fmt.Fprintf(out, "%-38s %d of %d over TLS in %.1f s\n", "connected", len(open), o.agents, took.Seconds())
	select {
	case <-time.After(o.settle):
	case <-ctx.Done():
		return errors.Join(ctx.Err(), c.Stop())
	}
	after, _ := rig.UsageOf(c.PID())
	// The answer to a ping shows that the connection still exists.
	pings := time.Now()
	slices.SortFunc(open, func(a, b *agent) int { return a.index - b.index })
	for _, a := range open {
		if err := a.ping(); err != nil {
			faults = append(faults, err)
		}
	}
	_, _ = fmt.Fprintf(out, "%-38s %.1f s for all, one after the other\n", "pings", time.Since(pings).Seconds())
	if known && len(open) > 0 {
		_, _ = fmt.Fprintf(out, "%-38s %.1f kB per agent (%.0f MB before, %.0f MB with all, peak %.0f MB)\n", "collector: memory",
			(after.MemoryMB-before.MemoryMB)*1024/float64(len(open)), before.MemoryMB, after.MemoryMB, after.PeakMB)
		_, _ = fmt.Fprintf(out, "%-38s %.2f ms per agent\n", "collector: CPU of connecting",
			(after.CPU-before.CPU).Seconds()*1000/float64(len(open)))
	}
	if err := c.Stop(); err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w: %d, such as: %w", ErrLost, len(faults), faults[0])
	}
	return nil
}

func fill(ctx context.Context, data string, n int) ([]rig.Agent, error) {
	f, err := rig.OpenFiller(ctx, data)
	if err != nil {
		return nil, err
	}
	agents := make([]rig.Agent, 0, n)
	for i := range n {
		a, err := f.Enrol(ctx, fmt.Sprintf("Participant %d", i))
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		agents = append(agents, a)
	}
	return agents, f.Close()
}

func connectAll(ctx context.Context, o options, url string, agents []rig.Agent) (open []*agent, faults []error) {
	var mu sync.Mutex
	var next atomic.Int64
	var wait sync.WaitGroup
	for range o.dialers {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(agents) || ctx.Err() != nil {
					return
				}
				a, err := connect(ctx, url, agents[i].Token, i)
				mu.Lock()
				if err != nil {
					faults = append(faults, err)
				} else {
					open = append(open, a)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return open, faults
}
