package load

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// series returns intervals with the bytes of a rate in kbit/s of the IP layer.
func series(kbps float64, ms int) []int64 {
	x := make([]int64, ms/int(wire.LoadInterval/time.Millisecond))
	for i := range x {
		x[i] = int64(kbps / 8 / wireShare * float64(wire.LoadInterval/time.Millisecond))
	}
	return x
}

// TestSteadyExcludesStartAndBurst: slow start, the burst of a token bucket and the
// time after the first transfer are not part of the rate.
func TestSteadyExcludesStartAndBurst(t *testing.T) {
	held := series(2000, 3000) // delivered late, and then at once
	for i := range 40 {
		held[140] += held[100+i]
		held[100+i] = 0
	}
	end := 200
	for name, c := range map[string]struct {
		a    arrived
		want float64
	}{
		"even":               {arrived{bytes: series(2000, 3000)}, 2000},
		"slow start":         {arrived{bytes: slices.Concat(series(100, 300), series(500, 300), series(2000, 2400))}, 2000},
		"burst":              {arrived{bytes: slices.Concat(series(40000, 120), series(2000, 2880))}, 2000},
		"start and burst":    {arrived{bytes: slices.Concat(series(200, 120), series(40000, 240), series(2000, 2640))}, 2000},
		"delayed":            {arrived{bytes: held}, 2000},
		"delayed to the end": {arrived{bytes: slices.Concat(series(300, 1450), make([]int64, 100))}, 300},
		"first ends":         {arrived{bytes: slices.Concat(series(2000, 2000), series(500, 1000)), firstEnd: &end}, 2000},
		"slow, few bytes":    {arrived{bytes: series(300, 3000)}, 300},
		"fast and short":     {arrived{bytes: series(100000, 700)}, 100000},
	} {
		kbps, ci := c.a.kbps(new(0.0))
		if math.Abs(testnet.Deref(kbps)-c.want) > 0.03*c.want {
			t.Errorf("%s: got %g kbit/s, want %g", name, testnet.Deref(kbps), c.want)
		}
		if ci == nil || ci[0] > c.want*1.01 || ci[1] < c.want*0.99 {
			t.Errorf("%s: the interval %v does not contain %g", name, ci, c.want)
		}
	}
	for _, a := range []arrived{{}, {bytes: []int64{0}}, {bytes: make([]int64, 300)}} {
		if kbps, _ := a.kbps(new(0.0)); kbps != nil {
			t.Errorf("%d empty intervals: got %g kbit/s, want nil", len(a.bytes), *kbps)
		}
	}
}

func TestStudent(t *testing.T) {
	for degrees, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 23: 2.069, 1000: 1.962} {
		if got := studentT975(degrees); math.Abs(got-want) > 0.02*want {
			t.Errorf("%d degrees of freedom: got %g, want %g", degrees, got, want)
		}
	}
}

// FuzzArrivals checks that whatever a collector reports, the arrivals do not exceed
// what was sent.
func FuzzArrivals(f *testing.F) {
	for _, s := range []string{
		`{"from":0,"bytes":[1,2,3]}`, `{"from":1,"bytes":[1]}`, `{"from":0,"bytes":[-1]}`,
		fmt.Sprintf(`{"from":0,"bytes":[%d]}`, int64(1)<<62), `{"from":0,"bytes":[1],"first_end":-5}`, `{`, ``,
	} {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		n := &reports{clock: probe.SystemClock{}, more: make(chan struct{}, 1), enough: func() {}}
		if n.take(one) == nil {
			_ = n.take(two)
		}
		sum := n.what.sum()
		if sum < 0 || sum > maxArrived || len(n.what.bytes) > int((fullTime+askWait)/wire.LoadInterval) {
			t.Errorf("got %d bytes in %d intervals, want 0 to %d in at most %d", sum, len(n.what.bytes), maxArrived, int((fullTime+askWait)/wire.LoadInterval))
		}
		if kbps, ci := n.what.kbps(new(0.0)); kbps != nil && (math.IsNaN(*kbps) || math.IsInf(*kbps, 0) || *kbps < 0) || ci != nil && math.IsNaN(ci[0]+ci[1]) {
			t.Errorf("got %v kbit/s, interval %v, want finite values", probetest.Value(kbps), ci)
		}
	})
}

// TestDelayedByAProxy: a proxy that forwards 512 KiB at a time hides the rate of the line.
func TestDelayedByAProxy(t *testing.T) {
	lump := make([]int64, 131)
	lump[0] = 512 << 10
	flowing := make([]int64, 131)
	for i := range flowing {
		flowing[i] = 2500
	}
	cut := slices.Clone(flowing) // a line that was interrupted: its rate is known from before
	clear(cut[60:])
	for name, c := range map[string]struct {
		a    arrived
		want bool
	}{
		"nothing":             {arrived{}, true},
		"one burst":           {arrived{bytes: lump}, true},
		"a full line":         {arrived{bytes: flowing}, false},
		"an interrupted line": {arrived{bytes: cut}, false},
		"a very fast line":    {arrived{bytes: []int64{8 << 20}}, false},
		"a whole transfer":    {arrived{bytes: lump, firstEnd: new(1)}, false},
	} {
		if got := c.a.isBuffered(); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
