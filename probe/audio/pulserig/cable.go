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

	mu      sync.Mutex
	lose    time.Duration
	stopped bool
}

// Plug plugs a microphone in; it is silent, and delivers nothing at all, until
// it is fed, and unplugged when the test tb ends (a server holds some forty).
func (r *Rig) Plug(tb testing.TB, id string, p Plug) *Cable {
	tb.Helper()
	p.RateHz, p.Channels = cmp.Or(p.RateHz, 48000), cmp.Or(p.Channels, 1)
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
	tb.Cleanup(func() {
		close(c.unplugged)
		_ = pipe.SetWriteDeadline(time.Now()) // a full pipe of a dead server
		c.fed.Wait()
		pipe.Close()
		_ = r.command("pactl", "unload-module", strings.TrimSpace(string(module))).Run() // a dead server has none
	})
	return c
}

// feedPeriod is how often samples are delivered.
const feedPeriod = 20 * time.Millisecond

// Feed delivers interleaved samples over and over until the test ends, at pace
// times the rate that the device states (0 is 1).
func (c *Cable) Feed(samples []float32, pace float64) {
	rate := cmp.Or(pace, 1) * float64(c.plug.RateHz)
	raw := make([]byte, 0, 2*len(samples))
	for _, x := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(max(-32768, min(32767, x*32768)))))
	}
	c.fed.Go(func() { c.feed(raw, rate) })
}

func (c *Cable) feed(raw []byte, rate float64) {
	frameBytes := 2 * c.plug.Channels
	tick := time.NewTicker(feedPeriod)
	defer tick.Stop()
	start, sent, skipped := time.Now(), 0, 0
	for {
		select {
		case <-c.unplugged:
			return
		case <-tick.C:
		}
		due := int(time.Since(start).Seconds() * rate)
		if stopped, lost := c.trouble(); stopped {
			return
		} else if lost > 0 {
			start = start.Add(lost)
			skipped += int(lost.Seconds() * rate)
			continue
		}
		for sent < due {
			at := (sent + skipped) * frameBytes % len(raw)
			n := min((due-sent)*frameBytes, len(raw)-at)
			if _, err := c.pipe.Write(raw[at : at+n]); err != nil {
				return // unplugged, or the server is gone
			}
			sent += n / frameBytes
		}
	}
}

func (c *Cable) trouble() (stopped bool, lost time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lost, c.lose = c.lose, 0
	return c.stopped, lost
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
