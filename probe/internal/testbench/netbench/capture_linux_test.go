package netbench

import (
	"bytes"
	"encoding/binary"
	"math"
	"os/exec"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestTsharkAgrees compares the RTP statistics with an independent program:
// tshark's analysis of the same packets, captured where they arrived.
//
// First with RTP's own timestamps: our formula must yield tshark's numbers from the
// packets that tshark reads. These timestamps are the planned times of departure.
// The report uses the real ones, so the timestamps are then replaced by the link's
// record of the departures, and the report must agree within the tolerance of issue
// 4.
func TestTsharkAgrees(t *testing.T) {
	selected(t)
	if _, err := exec.LookPath("tshark"); err != nil {
		lack(t, "tshark", err)
	}
	w := testWorld(t, programs(t))
	rough := []Phase{{Line: Line{DelayMS: 8, Jitter: "uniform", JitterMS: 14, LossPct: 10}}}
	clean := []Phase{{Line: Line{DelayMS: 8}}}
	for d, s := range map[Direction]Scenario{
		Up:   {Name: "rough up", NAT: homeRouter(), Access: Segment{Up: rough, Down: clean}},
		Down: {Name: "rough down", NAT: homeRouter(), Access: Segment{Up: clean, Down: rough}},
	} {
		t.Run(d.String(), func(t *testing.T) { holdAgainstTshark(t, w, s, d) })
	}
}

func holdAgainstTshark(t *testing.T, w *World, s Scenario, d Direction) {
	if _, err := AwaitQuiet(t.Context(), patience(t)); err != nil {
		t.Fatal(err)
	}
	var pcap bytes.Buffer
	end, err := w.Link.Capture(map[Direction]int{Up: atServer, Down: atHome}[d], &pcap)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Check(t.Context(), s, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	r, _ := c.Report.Probe(report.ProbeMediaVoice)
	v, ok := r.Data.(*report.MediaVoice)
	if !ok || v.State != report.MediaComplete || v.SelfCheck == "void" {
		t.Fatalf("no stream to compare: %+v", r.Data)
	}
	judged, lossPct, jitterMaxMS := *v.Sent, *v.UpLossPct, *v.UpJitterMaxMS
	if d == Down {
		judged, lossPct, jitterMaxMS = *v.DownSent, *v.DownLossPct, *v.DownJitterMaxMS
	}
	stream := samePackets(c.Truth.RTP(d), &judged)
	nominal := func(_ Passage, stamp uint32) uint32 { return uint32(uint64(stamp) * mpaHz / wire.ClockRateHz) }
	departed := func(p Passage, _ uint32) uint32 { return uint32((p.InNS - stream[0].InNS) * mpaHz / 1e9) }

	plain := asMPA(t, pcap.Bytes(), stream, nominal)
	seen := tsharkStreams(t, plain)[stream[0].SSRC]
	ours, seq := tsharkArrivals(t, plain)
	if seen.packets < 100 || seen.lost == 0 || len(ours) != seen.packets {
		t.Fatalf("tshark found %+v: too little to compare", seen)
	}
	if got := stats.JitterRTP(ours, mpaHz); math.Abs(got.MaxMS-seen.maxJitterMS) > seen.rounding || math.Abs(got.MeanMS-seen.meanJitterMS) > seen.rounding {
		t.Errorf("got a jitter of %.4f ms mean, %.4f max; tshark has %.4f, %.4f", got.MeanMS, got.MaxMS, seen.meanJitterMS, seen.maxJitterMS)
	}
	// tshark does not know of packets before the first and after the last one that
	// arrived.
	outside := seq[0] + judged - 1 - seq[len(seq)-1]
	if want := 100 * float64(seen.lost+outside) / float64(judged); math.Abs(lossPct-want) > 0.001 {
		t.Errorf("got a loss of %.3f %%, but tshark's %d of %d are %.3f %%", lossPct, seen.lost, judged, want)
	}
	left := tsharkStreams(t, asMPA(t, pcap.Bytes(), stream, departed))[stream[0].SSRC]
	if tolerance := max(jitterToleranceMS, left.maxJitterMS*jitterTolerancePct/100); math.Abs(jitterMaxMS-left.maxJitterMS) > tolerance {
		t.Errorf("got a maximum jitter of %.3f ms, tshark has %.3f", jitterMaxMS, left.maxJitterMS)
	}
	t.Logf("%s: %d packets, %d lost; highest jitter by tshark %.3f ms with RTP's stamps, %.3f with the times of departure; the report's %.3f",
		d, seen.packets, seen.lost, seen.maxJitterMS, left.maxJitterMS, jitterMaxMS)
}

// mpaHz is the clock of payload type 14 (RFC 3551 §6), with a sufficient resolution
// of 11 µs for a time of departure.
const (
	mpaType = 14
	mpaHz   = 90000
)

// asMPA rewrites the packets of a stream in a capture to payload type 14 with the
// timestamps of stampOf, and removes all other packets. For a dynamic payload type
// negotiated in an encrypted session, tshark does not know the clock and computes
// no jitter.
func asMPA(t *testing.T, pcap []byte, stream Truth, stampOf func(Passage, uint32) uint32) (file string) {
	t.Helper()
	bySeq := map[uint16]Passage{}
	for _, p := range stream {
		bySeq[p.Seq] = p
	}
	out := pcap[:24:24]
	for rest := pcap[24:]; len(rest) > 0; {
		size := 16 + int(binary.LittleEndian.Uint32(rest[8:]))
		record := append([]byte(nil), rest[:size]...)
		rest = rest[size:]
		p, ok := parse(record[16:])
		if !ok {
			continue
		}
		h, isRTP := p.rtp()
		of, ours := bySeq[h.Seq]
		if !isRTP || !ours || h.SSRC != of.SSRC {
			continue
		}
		rtp := p.payload()[8:]
		rtp[1] = rtp[1]&0x80 | mpaType
		binary.BigEndian.PutUint32(rtp[4:], stampOf(of, binary.BigEndian.Uint32(rtp[4:])))
		out = append(out, record...)
	}
	return writePCAP(t, out)
}
