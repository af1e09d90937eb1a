package netbench

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Load is the load of a check on the participant's line, with IP headers, and on
// the computer.
type Load struct {
	// UpKbps and DownKbps are the means over the whole check.
	UpKbps, DownKbps float64
	// PeakUpKbps and PeakDownKbps are the means of the busiest second.
	PeakUpKbps, PeakDownKbps float64
	// CPUPct is in percent of one core.
	CPUPct float64
}

// Load returns the load of a check from the link's record: what the home sent, lost
// or not, and what reached it, without duplicates.
func (c Check) Load() Load {
	var up, down []onWire
	for _, p := range c.Truth {
		if p.OfHome {
			up = append(up, onWire{p.InNS, p.Bytes})
		}
		if p.Arrived == hostNames[atHome] {
			down = append(down, onWire{p.OutNS[0], p.Bytes}) // duplicates of the line are not part of the check
		}
	}
	seconds := c.Took.Seconds()
	if seconds <= 0 {
		return Load{}
	}
	return Load{
		UpKbps: kilobits(up) / seconds, DownKbps: kilobits(down) / seconds,
		PeakUpKbps: busiestSecond(up), PeakDownKbps: busiestSecond(down),
		CPUPct: 100 * c.CPU.Seconds() / seconds,
	}
}

// wireLog returns a line of CSV for each packet at the home's device, to analyse
// busy seconds. Packets of one connection have the same home port.
func (c Check) wireLog() []byte {
	var b bytes.Buffer
	b.WriteString("ms,direction,protocol,home_port,far,far_port,bytes\n")
	for _, p := range c.Truth {
		at, home, far := p.InNS, p.From, p.To
		switch {
		case !p.OfHome && p.Arrived != hostNames[atHome]:
			continue
		case !p.OfHome:
			at, home, far = p.OutNS[0], p.To, p.From
		}
		fmt.Fprintf(&b, "%.1f,%v,%d,%d,%v,%d,%d\n", float64(at-c.Truth[0].InNS)/1e6, p.Direction, p.Protocol, home.Port(), far.Addr(), far.Port(), p.Bytes)
	}
	return b.Bytes()
}

// onWire is a packet at the home's device.
type onWire struct {
	atNS  int64
	bytes int
}

func kilobits(packets []onWire) (kbit float64) {
	for _, p := range packets {
		kbit += float64(p.bytes) * 8 / 1000
	}
	return kbit
}

// busiestSecond moves a window of one second over packets, which may be reordered
// by the line.
func busiestSecond(packets []onWire) (kbps float64) {
	inOrder := slices.SortedFunc(slices.Values(packets), func(a, b onWire) int { return cmp.Compare(a.atNS, b.atNS) })
	from, bytes := 0, 0
	for _, p := range inOrder {
		bytes += p.bytes
		for inOrder[from].atNS <= p.atNS-int64(time.Second) {
			bytes -= inOrder[from].bytes
			from++
		}
		kbps = max(kbps, float64(bytes)*8/1000)
	}
	return kbps
}
