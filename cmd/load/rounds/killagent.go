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

// killAgent kills a check at the moments at which something could be lost, in turn, and at random
// times. Afterwards the agent's disk must be readable, and in the end the collector must have each
// report that ever existed, once, and no other.
func killAgent(ctx context.Context, f *figures, collector, program, dir string, rounds int) error {
	data := filepath.Join(dir, "collector")
	c, err := rig.Serve(ctx, collector, data)
	if err != nil {
		return err
	}
	l, err := newLine(c.URL)
	if err != nil {
		return errors.Join(err, c.Stop())
	}
	r, err := killChecks(ctx, collector, program, dir, l, rounds)
	l.Close()
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
	total := 0
	for _, left := range r.left {
		total += left[nothing] + left[waiting] + left[sent]
	}
	f.line("agent killed", "%d", total)
	f.line("  and then no report, waiting, sent", "")
	for m, left := range r.left {
		f.line("  "+momentNames[m], "%d, %d, %d", left[nothing], left[waiting], left[sent])
	}
	f.line("ended before the moment came", "%d", r.missed)
	f.line("reports on the agent's disk in total", "%d", len(r.seen))
	f.none("unreadable on the agent's disk", r.unreadable)
	f.none("on the agent's disk, but lost", lost)
	f.none("stored twice by the collector", doubled)
	f.none("stored, but never on the agent's disk", len(kept))
	return nil
}

// What a killed check left on the agent's disk.
const (
	nothing = iota
	waiting
	sent
)

// killed contains the results of the rounds.
type killed struct {
	participant string
	seen        map[string]bool
	left        [moments][sent + 1]int // what the killed checks left
	missed      int                    // checks that ended before they were killed
	unreadable  int
}

func killChecks(ctx context.Context, collector, program, dir string, l *line, rounds int) (*killed, error) {
	agent := rig.Program{File: program, Data: filepath.Join(dir, "agent")}
	k := &killed{seen: map[string]bool{}}
	var err error
	if k.participant, err = agent.Enrol(ctx, collector, filepath.Join(dir, "collector"), l.URL); err != nil {
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
	for i := range rounds {
		m := moment(i % int(moments))
		hit, err := killCheck(ctx, agent, l, m, whole)
		if err != nil {
			return nil, err
		}
		state, err := k.look(ctx, agent)
		if err != nil {
			return nil, err
		}
		switch {
		case !hit:
			k.missed++
		case state == "":
			k.left[m][nothing]++
		case state == "waiting":
			k.left[m][waiting]++
		default:
			k.left[m][sent]++
		}
	}
	return k, k.drain(ctx, agent)
}

// killCheck kills a check at the moment m; hit is false if it ended before. whole is the time that a
// check takes.
func killCheck(ctx context.Context, agent rig.Program, l *line, m moment, whole time.Duration) (hit bool, err error) {
	limited, kill := context.WithCancel(ctx)
	defer kill()
	strike := func() { time.AfterFunc(rand.N(within[m]), kill) }
	switch spool := filepath.Join(agent.Data, "spool"); m {
	case anyTime:
		time.AfterFunc(rand.N(whole), kill)
	case whileWriting, whileWaiting:
		known, err := fileNames(spool)
		if err != nil {
			return false, err
		}
		go func() {
			if awaitFile(limited, spool, fileBegin[m], known) {
				strike()
			}
		}()
	default:
		l.await(m, strike)
		defer l.await(m, nil)
	}
	err = agent.Check(limited)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err != nil && limited.Err() != nil, nil
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
