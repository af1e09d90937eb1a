package stats

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// randomDirection returns a lossy, jittery, reordered stream without duplicates.
func randomDirection(rng *rand.Rand) Direction {
	d := Direction{FirstSeq: rng.Uint32(), Sent: 1 + rng.IntN(400), IntervalNS: 20e6}
	lossShare := rng.Float64()
	for i := range d.Sent {
		if rng.Float64() < lossShare {
			continue
		}
		sent := int64(i) * 20e6
		d.Packets = append(d.Packets, Packet{
			Seq: d.FirstSeq + uint32(i), SentNS: sent, ArrivedNS: 1e12 + sent + int64(60e6*rng.Float64()),
		})
	}
	sortByArrival(d.Packets)
	return d
}

func sortByArrival(packets []Packet) {
	slices.SortStableFunc(packets, func(a, b Packet) int { return int(a.ArrivedNS - b.ArrivedNS) })
}

func TestDuplicatesChangeNothingButTheirCount(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		d := randomDirection(rng)
		want := Summarise(d)
		doubled := d
		doubled.Packets = slices.Clone(d.Packets)
		added := 0
		for _, p := range d.Packets {
			for range rng.IntN(3) {
				p.ArrivedNS += 1 + rng.Int64N(100e6)
				doubled.Packets = append(doubled.Packets, p)
				added++
			}
		}
		sortByArrival(doubled.Packets)
		got := Summarise(doubled)
		if got.Duplicates != added {
			t.Fatalf("got %d duplicates, want %d", got.Duplicates, added)
		}
		got.Duplicates = 0
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("with duplicates got %+v\nwant %+v", got, want)
		}
	}
}

func TestOrderDoesNotAffectOtherStatistics(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		d := randomDirection(rng)
		want := Summarise(d)
		shuffled := d
		shuffled.Packets = slices.Clone(d.Packets)
		rng.Shuffle(len(shuffled.Packets), func(i, k int) {
			shuffled.Packets[i], shuffled.Packets[k] = shuffled.Packets[k], shuffled.Packets[i]
		})
		got := Summarise(shuffled)
		if !reflect.DeepEqual(got.Loss, want.Loss) || !reflect.DeepEqual(got.IPDVMS, want.IPDVMS) ||
			got.Bursts != want.Bursts || got.Runs != want.Runs || !reflect.DeepEqual(got.Late, want.Late) {
			t.Fatalf("shuffled: got %+v\nwant %+v", got, want)
		}
		if want.PDVMS != nil {
			near(t, "PDV p95", got.PDVMS.P95, want.PDVMS.P95, 1e-6)
		}
	}
}

func TestInputIsNotModified(t *testing.T) {
	d := randomDirection(rand.New(rand.NewPCG(11, 12)))
	before := slices.Clone(d.Packets)
	Summarise(d)
	if !slices.Equal(d.Packets, before) {
		t.Error("Summarise modified its input")
	}
}

func TestNothingMeasuredIsUnknown(t *testing.T) {
	s := Summarise(Direction{IntervalNS: 20e6})
	if s.Loss != nil || s.Jitter != nil || s.PDVMS != nil || s.IPDVMS != nil || s.Reordering != nil ||
		s.Late != nil || s.BurstR != nil || s.LongestGapMS != nil || s.LatePct(60) != nil {
		t.Errorf("without packets: got %+v, want no value", s)
	}
	s = Summarise(Direction{Sent: 300, IntervalNS: 20e6})
	if s.Loss.Pct != 100 || s.Jitter != nil || s.PDVMS != nil || s.Late != nil || *s.LongestGapMS != 6000 {
		t.Errorf("all lost: got %+v; want Loss Pct 100, no Jitter, no PDVMS, no Late, LongestGapMS 6000", s)
	}
	if JitterRTP(make([]RTPArrival, 3), 0) != nil {
		t.Error("got jitter without a clock rate")
	}
	s = Summarise(Direction{Sent: -5, Packets: stream(1, 2)})
	if s.Loss != nil || s.Foreign != 2 {
		t.Errorf("negative number of packets sent: got %+v; want no Loss, Foreign 2", s)
	}
}

func TestLatePct(t *testing.T) {
	s := Summarise(Direction{Sent: 4, IntervalNS: 20e6, Packets: delayed(10, 10, 10, 100)})
	if got := s.LatePct(60); got == nil || *got != 25 {
		t.Errorf("late for 60 ms: got %v, want 25", show(got))
	}
	if s.LatePct(61) != nil {
		t.Error("got a value for a buffer that was not evaluated")
	}
	if s.Bursts.GapLost != 1 || s.PlayoutMS != DefaultPlayoutMS {
		t.Errorf("the late packet is not discarded: got %+v, playout buffer %v ms, want 1 lost in a gap, %d ms", s.Bursts, s.PlayoutMS, DefaultPlayoutMS)
	}
}

// FuzzSummarise uses numbers and timestamps that a hostile reflector may send.
func FuzzSummarise(f *testing.F) {
	f.Add(uint32(0), uint16(5), []byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add(uint32(1<<32-1), uint16(300), []byte{})
	f.Fuzz(func(t *testing.T, first uint32, sent uint16, b []byte) {
		d := Direction{FirstSeq: first, Sent: int(sent), IntervalNS: 20e6}
		for ; len(b) >= 17; b = b[17:] {
			d.Packets = append(d.Packets, Packet{
				Seq:       first + uint32(b[0]),
				SentNS:    int64(binary.BigEndian.Uint64(b[1:]) >> 3),
				ArrivedNS: int64(binary.BigEndian.Uint64(b[9:]) >> 3),
			})
		}
		s := Summarise(d)
		if s.Loss != nil && (s.Loss.Lost < 0 || s.Loss.Pct < 0 || s.Loss.Pct > 100 || !s.Loss.CI95.Contains(s.Loss.Pct)) {
			t.Errorf("got loss %+v, want 0 to 100 %% within its interval", s.Loss)
		}
		if s.Loss != nil && s.Loss.Received+s.Duplicates+s.Foreign != len(d.Packets) {
			t.Errorf("inconsistent counts of %d packets: %+v", len(d.Packets), s)
		}
		if s.PDVMS != nil && !(s.PDVMS.Min >= 0) {
			t.Errorf("got PDV %+v, want a minimum of at least 0", s.PDVMS)
		}
		if b := s.Bursts; b.BurstPackets+b.GapPackets != int(sent) || b.BurstLost+b.GapLost != s.Runs.Lost {
			t.Errorf("got bursts %+v, runs %+v, want sums of %d packets and %d lost", b, s.Runs, sent, s.Runs.Lost)
		}
	})
}
