package recorder

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
)

func TestSampleOnDisk(t *testing.T) {
	for _, s := range []Sample{
		{At: begin},
		{At: begin, Link: "none", WiFiOff: true, Muted: new(false), InUse: new(true)},
		{
			At: begin.Add(1234 * time.Millisecond), Link: "wifi", SignalDBM: new(-67.0), CPUPct: new(13.0), MemoryFreeMB: new(5120.0),
			Gateway: Echo{Asked: true, Answered: true, RTT: 2300 * time.Microsecond}, Server: Echo{Asked: true},
			Muted: new(true), InUse: new(false), Programs: []string{"Zoom", "Firefox"},
		},
		{At: begin, Link: "vpn", Programs: watch.Clients(), Server: Echo{Asked: true, Answered: true, RTT: time.Second}},
	} {
		var b [sampleBytes]byte
		s.put(b[:])
		if got, ok := parseSample(b[:]); !ok || !reflect.DeepEqual(got, s) {
			t.Errorf("got %+v, valid: %v; want %+v", got, ok, s)
		}
	}
	if len(watch.Clients()) > 32 {
		t.Error("the programs do not fit into their bits")
	}
	if samplesPerSlot*sampleBytes > sampleLayout.slotBytes-slotHeader {
		t.Error("a minute does not fit into a slot")
	}
}

func FuzzSample(f *testing.F) {
	var b [sampleBytes]byte
	Sample{At: begin, Link: "wifi"}.put(b[:])
	f.Add(b[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := parseSample(b)
		if !ok {
			return
		}
		if !slices.Contains(links[:], s.Link) || s.At.Year() < 1 || s.At.Year() > 9999 || s.Gateway.RTT < 0 {
			t.Errorf("got %+v; want a known Link, a year of four digits, RTT of at least 0", s)
		}
		// A sample with any content must be valid in a report.
		var again [sampleBytes]byte
		s.put(again[:])
		if got, ok := parseSample(again[:]); !ok || !reflect.DeepEqual(got, s) {
			t.Errorf("got %+v, valid: %v; want %+v", got, ok, s)
		}
	})
}
