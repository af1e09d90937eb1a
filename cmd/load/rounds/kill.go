package rounds

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

// Kill kills the collector while agents deliver, and the agent during checks,
// writes and deliveries.
func Kill(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("kill", flag.ContinueOnError)
	ofCollector := flags.Int("collector", 10, "how often to kill the collector")
	ofAgent := flags.Int("agent", 30, "how often to kill the agent")
	if help, err := parse(flags, args, out); help || err != nil {
		return err
	}
	if *ofCollector < 0 || *ofAgent < 0 {
		return fmt.Errorf("%w: a number is negative", ErrUsage)
	}
	f := &figures{out: out}
	err := inDirectory(func(dir string) error {
		collector, err := rig.Build(ctx, dir, "tonprobe-collector")
		if err != nil {
			return err
		}
		if err := killCollector(ctx, f, collector, filepath.Join(dir, "first"), *ofCollector); err != nil {
			return err
		}
		agent, err := rig.Build(ctx, dir, "tonprobe")
		if err != nil {
			return err
		}
		return killAgent(ctx, f, collector, agent, filepath.Join(dir, "second"), *ofAgent)
	})
	if err != nil {
		return err
	}
	return f.err()
}

const (
	killSenders = 8
	killBatch   = 5
	// startEvery means that in one round of this many the collector is killed
	// during its start instead of during deliveries.
	startEvery = 4
	// killWithin limits the random time after the start, or after the first
	// delivery of a round, at which the collector is killed.
	killWithin = 250 * time.Millisecond
)

// sender is an agent that delivers until the collector is killed. Like an agent, it
// repeats deliveries without a response.
type sender struct {
	agent   rig.Agent
	packer  *rig.Packer
	waiting *rig.Delivery // sent without a response
	last    *rig.Delivery // last one with a response

	acknowledged []string
	again        int // number of reports that had been stored already when they were sent again
	forgotten    int // number of acknowledged reports that were unknown when they were sent again
}

// deliver sends batches until the collector is killed, and then returns nil.
func (s *sender) deliver(ctx context.Context, client *http.Client, url string) error {
	if s.last != nil { // as an agent does that was killed before it read the response
		statuses, err := s.last.Send(ctx, client, url)
		for _, status := range statuses {
			if status != rig.Duplicate {
				s.forgotten++
			}
		}
		s.last = nil
		if err != nil {
			return gone(err)
		}
	}
	for ctx.Err() == nil {
		if s.waiting == nil {
			d, err := s.packer.Pack(s.agent, killBatch)
			if err != nil {
				return err
			}
			s.waiting = &d
		}
		statuses, err := s.waiting.Send(ctx, client, url)
		if err != nil {
			return gone(err)
		}
		for _, status := range statuses {
			if status == rig.Duplicate {
				s.again++
			}
		}
		s.acknowledged = append(s.acknowledged, s.waiting.IDs...)
		s.last, s.waiting = s.waiting, nil
	}
	return nil
}

// gone returns nil if the collector was killed, and err if it responded.
func gone(err error) error {
	if e, ok := errors.AsType[*rig.StatusError](err); ok && e.Status != http.StatusTooManyRequests {
		return err
	}
	return nil
}

func killCollector(ctx context.Context, f *figures, binary, data string, rounds int) error {
	senders, err := newSenders(ctx, data, killSenders)
	if err != nil {
		return err
	}
	inStart := 0
	for round := range rounds {
		if round%startEvery == startEvery-1 {
			if err := killInStart(ctx, binary, data); err != nil {
				return fmt.Errorf("round %d: %w", round+1, err)
			}
			inStart++
			continue
		}
		if err := killInBurst(ctx, binary, data, senders); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	c, err := rig.Serve(ctx, binary, data)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Minute}
	for _, s := range senders {
		if s.waiting == nil {
			continue
		}
		if _, err := s.waiting.Send(ctx, client, c.URL); err != nil {
			return errors.Join(fmt.Errorf("deliver the remaining reports: %w", err), c.Stop())
		}
		s.acknowledged = append(s.acknowledged, s.waiting.IDs...)
	}
	if err := c.Stop(); err != nil {
		return err
	}
	f.line("collector killed, of these while starting", "%d, %d", rounds, inStart)
	return audit(ctx, f, data, senders)
}

func newSenders(ctx context.Context, data string, n int) ([]*sender, error) {
	filler, err := rig.OpenFiller(ctx, data)
	if err != nil {
		return nil, err
	}
	var all []*sender
	for i := range n {
		agent, err := filler.Enrol(ctx, fmt.Sprintf("Anna %d", i))
		if err != nil {
			return nil, errors.Join(err, filler.Close())
		}
		packer, err := rig.NewPacker()
		if err != nil {
			return nil, errors.Join(err, filler.Close())
		}
		all = append(all, &sender{agent: agent, packer: packer})
	}
	return all, filler.Close()
}

// killInStart kills the collector some time after the start of its process.
func killInStart(ctx context.Context, binary, data string) error {
	limited, cancel := context.WithTimeout(ctx, rand.N(killWithin))
	defer cancel()
	c, err := rig.Serve(limited, binary, data) // killed when its context ends
	if err == nil {
		return c.Kill()
	}
	if limited.Err() == nil {
		return err
	}
	return nil
}

func killInBurst(ctx context.Context, binary, data string, senders []*sender) error {
	c, err := rig.Serve(ctx, binary, data)
	if err != nil {
		return err
	}
	delivering, cancel := context.WithCancel(ctx)
	defer cancel()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: len(senders)}}
	defer client.CloseIdleConnections()
	faults := make([]error, len(senders))
	var wait sync.WaitGroup
	for i, s := range senders {
		wait.Go(func() { faults[i] = s.deliver(delivering, client, c.URL) })
	}
	timer := time.NewTimer(rand.N(killWithin))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	err = c.Kill()
	cancel()
	wait.Wait()
	return errors.Join(append(faults, err)...)
}

// audit looks for each acknowledged report in the database, and for reports that
// were never sent.
func audit(ctx context.Context, f *figures, data string, senders []*sender) error {
	filler, err := rig.OpenFiller(ctx, data)
	if err != nil {
		return err
	}
	acknowledged, again, forgotten, lost, doubled, unknown := 0, 0, 0, 0, 0, 0
	for _, s := range senders {
		kept, err := filler.Kept(ctx, s.agent)
		if err != nil {
			return errors.Join(err, filler.Close())
		}
		l, d := missing(slices.Values(s.acknowledged), kept)
		lost, doubled = lost+l, doubled+d
		acknowledged += len(s.acknowledged)
		again += s.again
		forgotten += s.forgotten
		unknown += len(kept)
	}
	f.line("reports acknowledged", "%d", acknowledged)
	f.line("stored, but the response was lost", "%d", again)
	f.none("acknowledged and lost", lost+forgotten)
	f.none("stored twice", doubled)
	f.none("stored, but never sent", unknown)
	return filler.Close()
}

// missing compares the wanted reports with those that the collector kept, by id, and
// removes the wanted ones from kept. It returns how many wanted reports were not kept,
// and how many were kept more than once.
func missing(wanted iter.Seq[string], kept map[string]int) (lost, doubled int) {
	for id := range wanted {
		switch kept[id] {
		case 0:
			lost++
		case 1:
		default:
			doubled++
		}
		delete(kept, id)
	}
	return lost, doubled
}
