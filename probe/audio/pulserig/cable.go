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

// Plug is a microphone to be plugged in.
type Plug struct {
	RateHz   int // as the device states it; 0 is 48000
	Channels int // 0 is 1
	// Properties are Pulse's, such as "device.bus": "bluetooth".
	Properties map[string]string
}

// Cable is a microphone that a test feeds itself, sample by sample, as hardware
// does: a pipe source. Any number of them fit one server, and none disturbs
// another.
type Cable struct {
	ID string // the source's name

	plug      Plug
	pipe      *os.File
	fed       sync.WaitGroup
	unplugged chan struct{}
	pull      func() // takes the source out of the server

	mu      sync.Mutex
	raw     []byte // delivered next, over and over
	begun   bool
	heldUp  time.Duration
	lose    time.Duration
	stopped bool
}

// Plug plugs a microphone in; it is silent, and delivers nothing at all, until
// it is fed, and unplugged when the test tb ends (a server holds some forty).
// Where a microphone was plugged in under that ID before, the new one's ends in
// a number: a server answers before it has forgotten a device.
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
		_ = r.command("pactl", "unload-module", strings.TrimSpace(string(module))).Run() // a dead server has none
	})
	tb.Cleanup(func() {
		close(c.unplugged)
		_ = pipe.SetWriteDeadline(time.Now()) // a full pipe of a dead server
		c.fed.Wait()
		pipe.Close()
		c.pull()
	})
	return c
}

// unused is the ID, or where it was used before, one that begins like it.
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

// feedPeriod is how often samples are delivered.
const feedPeriod = 20 * time.Millisecond

// Feed delivers interleaved samples over and over until the test ends, at pace
// times the rate that the device states (0 is 1). Called again it goes on with
// other samples, at the first one's pace.
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
				return // unplugged, or the server is gone
			}
			sent += n / frameBytes
			at = (at + n) % len(raw)
		}
	}
}

// present is what to deliver now, and what trouble to make.
func (c *Cable) present(sinceLast time.Duration) (raw []byte, lost time.Duration, stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heldUp = max(c.heldUp, sinceLast-feedPeriod)
	lost, c.lose = c.lose, 0
	return c.raw, lost, c.stopped
}

// HeldUp is the longest that this process was kept from delivering. Hardware is
// not held up: what comes of it is the fault of the machine that plays its part.
func (c *Cable) HeldUp() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heldUp
}

// Lose makes the device lose so much of the sound that comes next.
func (c *Cable) Lose(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lose += d
}

// Stop makes the device fall silent for good without a word to the server, as
// a loose contact or a hanging driver does.
func (c *Cable) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// Unplug takes the microphone out of the server, as pulling its plug does.
func (c *Cable) Unplug() { c.pull() }

// MoveStreams moves what records from one source to another, as a sound server
// does when a device goes.
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

// Record has another program of that name record from a source until the test
// ends; it returns once it does.
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
