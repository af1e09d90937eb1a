//go:build unix

package pulserig

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Plug configures a microphone to plug in.
type Plug struct {
	RateHz   int // as the device reports it; 0 is 48000
	Channels int // 0 is 1
	// Properties are PulseAudio properties, such as "device.bus": "bluetooth".
	Properties map[string]string
}

// Cable is a microphone whose samples a test supplies, as hardware does: a pipe
// source. A server can have any number of them, independent of each other.
type Cable struct {
	ID string // the source's name

	plug      Plug
	pipe      *os.File
	fed       sync.WaitGroup
	unplugged chan struct{}
	pull      func() // removes the source from the server

	mu      sync.Mutex
	raw     []byte // delivered repeatedly
	begun   bool
	heldUp  time.Duration
	lose    time.Duration
	stopped bool
}

// Plug adds a microphone to the server and removes it when the test tb ends (a server
// supports about forty). It is silent and delivers nothing until Feed is called. If the
// ID was used before, a number is appended, because a server takes some time to forget a
// device.
func (r *Rig) Plug(tb testing.TB, id string, p Plug) *Cable {
	tb.Helper()
	p.RateHz, p.Channels = cmp.Or(p.RateHz, 48000), cmp.Or(p.Channels, 1)
	id = r.unused(id)
	path := filepath.Join(r.dir, id)
	properties := []string{"device.description=" + id}
	for _, key := range slices.Sorted(maps.Keys(p.Properties)) {
		properties = append(properties, key+"="+p.Properties[key])
	}
	module, err := r.command("pactl", "load-module", "module-pipe-source", "source_name="+id, "file="+path, "format=s16le",
		fmt.Sprintf("rate=%d", p.RateHz), fmt.Sprintf("channels=%d", p.Channels),
		"source_properties='"+strings.Join(properties, " ")+"'").Output()
	if err != nil {
		tb.Fatalf("plug in %s: %v", id, err)
	}
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	c := &Cable{ID: id, plug: p, pipe: pipe, unplugged: make(chan struct{})}
	c.pull = sync.OnceFunc(func() {
		_ = r.command("pactl", "unload-module", strings.TrimSpace(string(module))).Run() // fails if the server has exited
	})
	tb.Cleanup(func() {
		close(c.unplugged)
		_ = pipe.SetWriteDeadline(time.Now()) // unblocks a write to the full pipe of a dead server
		c.fed.Wait()
		pipe.Close()
		c.pull()
	})
	return c
}

// unused returns the ID, or a variant of it if it was used before.
func (r *Rig) unused(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plugged == nil {
		r.plugged = map[string]int{}
	}
	r.plugged[id]++
	if n := r.plugged[id]; n > 1 {
		return fmt.Sprintf("%s_%d", id, n)
	}
	return id
}

// feedPeriod is the interval at which samples are delivered.
const feedPeriod = 20 * time.Millisecond

// Feed delivers interleaved samples repeatedly until the test ends, at pace times the
// rate that the device reports (0 is 1). Later calls replace the samples and keep the
// pace of the first one.
func (c *Cable) Feed(samples []float32, pace float64) {
	rate := cmp.Or(pace, 1) * float64(c.plug.RateHz)
	raw := make([]byte, 0, 2*len(samples))
	for _, x := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(max(-32768, min(32767, x*32768)))))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = raw
	if !c.begun {
		c.begun = true
		c.fed.Go(func() { c.feed(rate) })
	}
}

func (c *Cable) feed(rate float64) {
	frameBytes := 2 * c.plug.Channels
	tick := time.NewTicker(feedPeriod)
	defer tick.Stop()
	start, sent, at := time.Now(), 0, 0
	last := start
	var raw []byte
	for {
		select {
		case <-c.unplugged:
			return
		case <-tick.C:
		}
		now := time.Now()
		next, lost, stopped := c.present(now.Sub(last))
		last = now
		if stopped {
			return
		}
		if len(raw) == 0 || &next[0] != &raw[0] {
			raw, at = next, 0
		}
		if lost > 0 {
			start = start.Add(lost)
			at = (at + int(lost.Seconds()*rate)*frameBytes) % len(raw)
			continue
		}
		for due := int(time.Since(start).Seconds() * rate); sent < due; {
			n := min((due-sent)*frameBytes, len(raw)-at)
			if _, err := c.pipe.Write(raw[at : at+n]); err != nil {
				return // unplugged, or the server has exited
			}
			sent += n / frameBytes
			at = (at + n) % len(raw)
		}
	}
}

// present returns the samples to deliver now and the faults to inject.
func (c *Cable) present(sinceLast time.Duration) (raw []byte, lost time.Duration, stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heldUp = max(c.heldUp, sinceLast-feedPeriod)
	lost, c.lose = c.lose, 0
	return c.raw, lost, c.stopped
}

// HeldUp returns the longest time by which this process was late to deliver samples.
// Hardware is never late, so a test must not attribute the effect to the product.
func (c *Cable) HeldUp() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heldUp
}

// Lose drops the next d of the samples.
func (c *Cable) Lose(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lose += d
}

// Stop makes the device stop permanently without notifying the server, like a loose
// contact or a hanging driver.
func (c *Cable) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// Unplug removes the microphone from the server.
func (c *Cable) Unplug() { c.pull() }

// MoveStreams moves recording streams from one source to another, as a sound server
// does when a device disappears.
func (r *Rig) MoveStreams(from, to string) {
	r.tb.Helper()
	index := ""
	for line := range strings.Lines(r.Control("list", "short", "sources")) {
		if column := strings.Fields(line); len(column) > 1 && column[1] == from {
			index = column[0]
		}
	}
	for line := range strings.Lines(r.Control("list", "short", "source-outputs")) {
		if column := strings.Fields(line); len(column) > 1 && column[1] == index {
			r.Control("move-source-output", column[0], to)
		}
	}
}

// Record starts another program of that name that records from a source until the test
// ends. It returns once the program records.
func (r *Rig) Record(tb testing.TB, source, program string) {
	tb.Helper()
	cmd := r.command("parec", "--device="+source, "--client-name="+program)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	Until(tb, program+" to record", r.Recording)
}
