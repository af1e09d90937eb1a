package wire

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

var someArrivals = []Arrival{
	{Seq: 0, ArrivedNS: 1_000_000_000},
	{Seq: 2, ArrivedNS: 1_020_500_000},
	{Seq: 1, ArrivedNS: 1_020_500_000},
	{Seq: 2, ArrivedNS: 1_060_000_000, Duplicate: true},
	{Seq: 4, ArrivedNS: 1_080_000_000},
}

func TestEchoLogGolden(t *testing.T) {
	b, err := json.Marshal(NewEchoLog(someArrivals, 5, 1))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"version":1,"seq_delta":[0,2,-1,1,2],` +
		`"arrived_delta_ns":[1000000000,20500000,0,39500000,20000000],` +
		`"duplicate_indexes":[3],"up_unique":4,"down_sent":5,"down_failed":1}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	log, err := ParseEchoLog(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := log.Arrivals(); !slices.Equal(got, someArrivals) {
		t.Errorf("got %+v, want %+v", got, someArrivals)
	}
}

func TestEchoLogOfASilentStreamIsValid(t *testing.T) {
	b, _ := json.Marshal(NewEchoLog(nil, 0, 0))
	log, err := ParseEchoLog(b)
	if err != nil || len(log.Arrivals()) != 0 {
		t.Errorf("%s: got %d arrivals, error %v, want none", b, len(log.Arrivals()), err)
	}
}

func TestEchoLogIsLimited(t *testing.T) {
	arrivals := make([]Arrival, MaxArrivals+3)
	for i := range arrivals {
		arrivals[i] = Arrival{Seq: math.MaxUint32 - uint32(i), ArrivedNS: int64(i) * 1_000_000_000}
	}
	log := NewEchoLog(arrivals, len(arrivals), 0)
	log.TurnaroundNS = slices.Repeat([]int64{MaxStampNS}, MaxArrivals)
	b, _ := json.Marshal(log)
	if len(b) > MaxEchoLogBytes {
		t.Errorf("got %d bytes, want at most %d", len(b), MaxEchoLogBytes)
	}
	got, err := ParseEchoLog(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.SeqDelta) != MaxArrivals || got.Unlisted != 3 || got.UpUnique != len(arrivals) {
		t.Errorf("got %d listed, %d unlisted, %d unique; want %d, 3, %d", len(got.SeqDelta), got.Unlisted, got.UpUnique, MaxArrivals, len(arrivals))
	}
}

func TestSixSecondsOfSpeechStayUnder8KB(t *testing.T) {
	arrivals := make([]Arrival, 300)
	for i := range arrivals {
		arrivals[i] = Arrival{Seq: uint32(i), ArrivedNS: 1e15 + int64(i)*20_123_456}
	}
	log := NewEchoLog(arrivals, 300, 0)
	log.TurnaroundNS = slices.Repeat([]int64{123_456}, 300)
	if b, _ := json.Marshal(log); len(b) > 8000 {
		t.Errorf("got %d bytes, want at most 8000", len(b))
	}
}

func TestEchoLogRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*EchoLog){
		"version":                 func(l *EchoLog) { l.Version = 2 },
		"columns differ":          func(l *EchoLog) { l.SeqDelta = l.SeqDelta[1:] },
		"too many":                func(l *EchoLog) { l.SeqDelta = make([]int64, MaxArrivals+1); l.ArrivedDeltaNS = l.SeqDelta },
		"number below zero":       func(l *EchoLog) { l.SeqDelta[0] = -1 },
		"number past uint32":      func(l *EchoLog) { l.SeqDelta[4] = 1 << 32 },
		"step overflows":          func(l *EchoLog) { l.SeqDelta[4] = -1 << 63 },
		"time decreases":          func(l *EchoLog) { l.ArrivedDeltaNS[2] = -1 },
		"time overflows":          func(l *EchoLog) { l.ArrivedDeltaNS[2] = 1<<63 - 1 },
		"hidden duplicate":        func(l *EchoLog) { l.DuplicateIndexes = nil },
		"invented duplicate":      func(l *EchoLog) { l.DuplicateIndexes = []int{3, 4} },
		"duplicate twice":         func(l *EchoLog) { l.DuplicateIndexes = []int{3, 3} },
		"duplicate outside":       func(l *EchoLog) { l.DuplicateIndexes = []int{3, 5} },
		"unique too high":         func(l *EchoLog) { l.UpUnique = 5 },
		"unique too low":          func(l *EchoLog) { l.UpUnique = 3 },
		"unlisted too early":      func(l *EchoLog) { l.Unlisted = 1 },
		"count past cap":          func(l *EchoLog) { l.DownFailed = MaxPackets + 1 },
		"negative count":          func(l *EchoLog) { l.DownSent = -1 },
		"turnaround of no packet": func(l *EchoLog) { l.TurnaroundNS = make([]int64, 6) },
		"negative turnaround":     func(l *EchoLog) { l.TurnaroundNS = []int64{0, -1} },
		"turnaround too long":     func(l *EchoLog) { l.TurnaroundNS = []int64{MaxStampNS + 1} },
	} {
		log := NewEchoLog(someArrivals, 5, 0)
		spoil(log)
		if err := log.Validate(); !errors.Is(err, ErrEchoLog) {
			t.Errorf("%s: got error %v, want ErrEchoLog", name, err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "truncated": `{"version":1,"seq_delta":[1`, "html": "<script>", "oversize": strings.Repeat(" ", MaxEchoLogBytes+1),
		"text instead of a number": `{"version":1,"seq_delta":["0"]}`,
	} {
		if _, err := ParseEchoLog([]byte(text)); !errors.Is(err, ErrEchoLog) {
			t.Errorf("%s: got error %v, want ErrEchoLog", name, err)
		}
	}
}

func FuzzParseEchoLog(f *testing.F) {
	seed, _ := json.Marshal(NewEchoLog(someArrivals, 5, 1))
	f.Add(seed)
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		log, err := ParseEchoLog(b)
		if err != nil {
			return
		}
		again := NewEchoLog(log.Arrivals(), log.DownSent, log.DownFailed)
		if !slices.Equal(again.SeqDelta, log.SeqDelta) || !slices.Equal(again.ArrivedDeltaNS, log.ArrivedDeltaNS) ||
			!slices.Equal(again.DuplicateIndexes, log.DuplicateIndexes) {
			t.Errorf("%s changed by encoding and decoding", b)
		}
	})
}
