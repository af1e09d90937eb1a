package rounds

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

// Disk fills the disk of the collector and that of the agent, or mounts it
// read-only, while reports are delivered.
func Disk(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("disk", flag.ContinueOnError)
	times := flags.Int("times", 2, "how often to fill each disk")
	if help, err := parse(flags, args, out); help || err != nil {
		return err
	}
	if *times < 1 {
		return fmt.Errorf("%w: -times is 1 or more", ErrUsage)
	}
	if again, err := inMountNamespace(); again {
		return err
	}
	f := &figures{out: out}
	err := inDirectory(func(dir string) error {
		collector, err := rig.Build(ctx, dir, "tonprobe-collector")
		if err != nil {
			return err
		}
		agent, err := rig.Build(ctx, dir, "tonprobe")
		if err != nil {
			return err
		}
		if err := onSmallDisk(filepath.Join(dir, "small"), "96m", func(d smallDisk) error {
			return collectorDisk(ctx, f, collector, d, *times)
		}); err != nil {
			return fmt.Errorf("the collector's disk: %w", err)
		}
		if err := onSmallDisk(filepath.Join(dir, "smaller"), "4m", func(d smallDisk) error {
			return agentDisk(ctx, f, collector, rig.Program{File: agent, Data: filepath.Join(d.dir, "agent")}, filepath.Join(dir, "data"), d, *times)
		}); err != nil {
			return fmt.Errorf("the agent's disk: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.err()
}

func onSmallDisk(dir, size string, run func(smallDisk) error) error {
	d, err := mountSmall(dir, size)
	if err != nil {
		return err
	}
	return errors.Join(run(d), d.unmount())
}

// fullBatches is the number of deliveries to try on a full disk: the write-ahead
// log may have some space left.
const fullBatches = 40

// collectorDisk fills the disk, delivers until the collector refuses, kills it
// every second time, and frees the space again.
func collectorDisk(ctx context.Context, f *figures, binary string, disk smallDisk, times int) error {
	data := filepath.Join(disk.dir, "data")
	senders, err := newSenders(ctx, data, 1)
	if err != nil {
		return err
	}
	s, client := senders[0], &http.Client{Timeout: time.Minute}
	refused, otherwise, readyWhenFull, notReadyWithRoom, startedWhenFull := 0, 0, 0, 0, 0
	var unclear []string // unclear reasons of failed starts
	for round := range times {
		c, err := rig.Serve(ctx, binary, data)
		if err != nil {
			return err
		}
		for range 3 {
			if err := s.store(ctx, client, c.URL); err != nil {
				return errors.Join(err, c.Stop())
			}
		}
		if !ready(ctx, client, c.URL) {
			notReadyWithRoom++
		}
		if err := disk.fill(); err != nil {
			return errors.Join(err, c.Stop())
		}
		for range fullBatches {
			err := s.store(ctx, client, c.URL)
			e, ok := errors.AsType[*rig.StatusError](err)
			if err != nil && (!ok || e.Status != http.StatusServiceUnavailable) {
				otherwise++
			}
			if err != nil {
				refused++
				break
			}
		}
		if ready(ctx, client, c.URL) {
			readyWhenFull++
		}
		if round%2 == 1 {
			if err := c.Kill(); err != nil {
				return err
			}
			switch problem := startProblem(ctx, binary, data); {
			case problem == "":
				startedWhenFull++
			case !strings.Contains(problem, "is full"):
				unclear = append(unclear, problem)
			}
		} else if err := disk.empty(); err != nil {
			return errors.Join(err, c.Stop())
		} else if err := errors.Join(s.store(ctx, client, c.URL), c.Stop()); err != nil { // without a restart
			return err
		} else {
			continue
		}
		if err := disk.empty(); err != nil {
			return err
		}
	}
	c, err := rig.Serve(ctx, binary, data)
	if err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	if err := errors.Join(s.store(ctx, client, c.URL), c.Stop()); err != nil {
		return err
	}
	f.line("collector's disk filled", "%d", times)
	f.line("deliveries refused with 503", "%d", refused-otherwise)
	f.none("other responses on a full disk", otherwise)
	f.none("reported as ready on a full disk", readyWhenFull)
	f.none("reported as not ready with free space", notReadyWithRoom)
	f.line("started on a full disk after a kill", "%d", startedWhenFull)
	f.hold("otherwise the error states the full disk", len(unclear) == 0, strings.Join(unclear, "; "))
	if err := disk.setReadOnly(true); err != nil {
		return err
	}
	problem := startProblem(ctx, binary, data)
	f.hold("error at the start states a read-only disk", strings.Contains(problem, "read-only"), problem)
	return errors.Join(disk.setReadOnly(false), audit(ctx, f, data, senders))
}

// store repeats the delivery that was refused before, or sends a new batch.
func (s *sender) store(ctx context.Context, client *http.Client, url string) error {
	if s.waiting == nil {
		d, err := s.packer.Pack(s.agent, 20)
		if err != nil {
			return err
		}
		s.waiting = &d
	}
	if _, err := s.waiting.Send(ctx, client, url); err != nil {
		return err
	}
	s.acknowledged = append(s.acknowledged, s.waiting.IDs...)
	s.waiting = nil
	return nil
}

func ready(ctx context.Context, client *http.Client, url string) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(q)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// startProblem returns why the collector does not start; "" if it does.
func startProblem(ctx context.Context, binary, data string) string {
	c, err := rig.Serve(ctx, binary, data)
	if err != nil {
		return strings.Join(strings.Fields(err.Error()), " ")
	}
	_ = c.Stop()
	return ""
}

// agentDisk performs checks on a disk that is full or read-only, with and without the
// collector.
func agentDisk(ctx context.Context, f *figures, collector string, agent rig.Program, data string, disk smallDisk, times int) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	serve := func() (*rig.Collector, error) { return rig.Serve(ctx, collector, data, "--listen", address) }
	c, err := serve()
	if err != nil {
		return err
	}
	participant, err := agent.Enrol(ctx, collector, data, c.URL)
	if err != nil {
		return errors.Join(err, c.Stop())
	}
	trouble := []struct {
		name       string
		begin, end func() error
	}{
		{"full", disk.fill, disk.empty},
		{"read-only", func() error { return disk.setReadOnly(true) }, func() error { return disk.setReadOnly(false) }},
	}
	var promised []string // the collector has them, or they are in the spool
	silent := 0
	for i := range times * len(trouble) {
		if err := c.Stop(); err != nil {
			return err
		}
		t := trouble[i%len(trouble)]
		kept, err := agent.CheckWithText(ctx)
		if err != nil {
			return err
		}
		promised = append(promised, kept.ID)
		if err := t.begin(); err != nil {
			return err
		}
		away, err := agent.CheckWithText(ctx)
		if err != nil {
			return fmt.Errorf("%s disk, collector away: %w", t.name, err)
		}
		if !strings.Contains(away.Text, "neither sent nor saved") {
			silent++
		}
		if c, err = serve(); err != nil {
			return err
		}
		direct, err := agent.CheckWithText(ctx)
		if err != nil {
			return errors.Join(fmt.Errorf("%s disk, collector reachable: %w", t.name, err), c.Stop())
		}
		promised = append(promised, direct.ID)
		if err := t.end(); err != nil {
			return errors.Join(err, c.Stop())
		}
	}
	for range 3 { // sends the waiting reports
		last, err := agent.CheckWithText(ctx)
		if err != nil {
			return errors.Join(err, c.Stop())
		}
		promised = append(promised, last.ID)
	}
	if err := c.Stop(); err != nil {
		return err
	}
	filler, err := rig.OpenFiller(ctx, data)
	if err != nil {
		return err
	}
	kept, err := filler.Kept(ctx, rig.Agent{Participant: participant})
	if err := errors.Join(err, filler.Close()); err != nil {
		return err
	}
	lost := 0
	for _, id := range promised {
		if kept[id] != 1 {
			lost++
		}
	}
	f.line("agent's disk full, read-only", "%d, %d", times, times)
	f.line("checks whose report must arrive", "%d", len(promised))
	f.none("  of these lost or stored twice", lost)
	f.none("neither sent nor stored without an error", silent)
	return nil
}

// freeAddress returns a loopback address on which nothing listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
