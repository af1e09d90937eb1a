package rounds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

// drainTries is the maximum number of runs of the agent at the end until its spool
// is empty. The collector rate limits an agent that was killed and started many
// times.
const drainTries = 120

// killAgent kills a check at random times from its start to its end. Afterwards the
// agent's disk must be readable, and in the end the collector must have each report
// that ever existed, once, and no other.
func killAgent(ctx context.Context, f *figures, collector, program, dir string, rounds int) error {
	data := filepath.Join(dir, "collector")
	c, err := rig.Serve(ctx, collector, data)
	if err != nil {
		return err
	}
	r, err := killChecks(ctx, collector, program, dir, c.URL, rounds)
	if err := errors.Join(err, c.Stop()); err != nil {
		return err
	}
	filler, err := rig.OpenFiller(ctx, data)
	if err != nil {
		return err
	}
	kept, err := filler.Kept(ctx, rig.Agent{Participant: r.participant})
	if err := errors.Join(err, filler.Close()); err != nil {
		return err
	}
	lost, doubled := missing(maps.Keys(r.seen), kept)
	f.line("agent killed", "%d", rounds)
	f.line("  before writing, while waiting, sent", "%d, %d, %d", r.nothing, r.waiting, r.sent)
	f.line("reports on the agent's disk in total", "%d", len(r.seen))
	f.none("unreadable on the agent's disk", r.unreadable)
	f.none("on the agent's disk, but lost", lost)
	f.none("stored twice by the collector", doubled)
	f.none("stored, but never on the agent's disk", len(kept))
	return nil
}

// killed contains the results of the rounds.
type killed struct {
	participant            string
	seen                   map[string]bool
	nothing, waiting, sent int // what a killed check left
	unreadable             int
}

func killChecks(ctx context.Context, collector, program, dir, url string, rounds int) (*killed, error) {
	agent := rig.Program{File: program, Data: filepath.Join(dir, "agent")}
	k := &killed{seen: map[string]bool{}}
	var err error
	if k.participant, err = agent.Enrol(ctx, collector, filepath.Join(dir, "collector"), url); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := agent.Check(ctx); err != nil {
		return nil, fmt.Errorf("the first check: %w", err)
	}
	whole := time.Since(began) + 20*time.Millisecond
	if _, err := k.look(ctx, agent); err != nil {
		return nil, err
	}
	for range rounds {
		limited, cancel := context.WithTimeout(ctx, rand.N(whole))
		_ = agent.Check(limited) // killed when its context ends
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		state, err := k.look(ctx, agent)
		if err != nil {
			return nil, err
		}
		switch state {
		case "":
			k.nothing++
		case "waiting":
			k.waiting++
		default:
			k.sent++
		}
	}
	return k, k.drain(ctx, agent)
}

// look reads the agent's disk and returns the state of the new report; "" if there
// is none.
func (k *killed) look(ctx context.Context, agent rig.Program) (state string, err error) {
	all, err := agent.Reports(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range all {
		if !k.seen[r.ID] {
			k.seen[r.ID], state = true, r.State
		}
		if r.Verdict == "" || r.State != "waiting" && r.State != "sent" {
			k.unreadable++
		}
	}
	return state, nil
}

// drain runs checks until the spool is empty.
func (k *killed) drain(ctx context.Context, agent rig.Program) error {
	for range drainTries {
		if err := agent.Check(ctx); err != nil {
			return err
		}
		if _, err := k.look(ctx, agent); err != nil {
			return err
		}
		all, err := agent.Reports(ctx)
		if err != nil {
			return err
		}
		left := 0
		for _, r := range all {
			if r.State == "waiting" {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-time.After(time.Second): // rate limit of the collector
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("%w: reports not sent after %d more checks", ErrBroken, drainTries)
}
