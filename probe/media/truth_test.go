package media_test

import (
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Tolerances between the figures and what the link did.
const (
	jitterToleranceMS = 0.3
	rttToleranceMS    = 0.3
)

func randomLoss(p float64) func(*rand.Rand, int) bool {
	return func(r *rand.Rand, _ int) bool { return r.Float64() < p }
}

// burstLoss drops run consecutive packets in each period.
func burstLoss(period, run int) func(*rand.Rand, int) bool {
	return func(_ *rand.Rand, n int) bool { return n%period >= period-run }
}

func every(k int) func(int) bool { return func(n int) bool { return n%k == k-1 } }

func heldEvery(k int, d time.Duration) func(int) time.Duration {
	return func(n int) time.Duration {
		if n%k == k-1 {
			return d
		}
		return 0
	}
}

func TestFiguresAgreeWithTheLink(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name     string
		up, down impairment
	}{
		{"idle", impairment{}, impairment{}},
		{"fibre: 4 ms each direction", impairment{delay: 4 * ms}, impairment{delay: 4 * ms}},
		{"up loses 10 %", impairment{delay: 10 * ms, lost: randomLoss(0.1)}, impairment{delay: 10 * ms}},
		{"down loses 10 %", impairment{delay: 10 * ms}, impairment{delay: 10 * ms, lost: randomLoss(0.1)}},
		{"both lose, differently", impairment{lost: randomLoss(0.05)}, impairment{lost: randomLoss(0.2)}},
		{"bursts up", impairment{lost: burstLoss(50, 6)}, impairment{}},
		{"jitter below the interval", impairment{delay: 15 * ms, jitter: 12 * ms}, impairment{delay: 15 * ms, jitter: 6 * ms}},
		{"jitter that reorders", impairment{delay: 10 * ms, jitter: 60 * ms}, impairment{delay: 10 * ms}},
		{"held back", impairment{held: heldEvery(10, 50*ms)}, impairment{held: heldEvery(25, 30*ms)}},
		{"doubled", impairment{doubled: every(8)}, impairment{doubled: every(5)}},
		{"everything", impairment{delay: 20 * ms, jitter: 30 * ms, lost: randomLoss(0.05)},
			impairment{delay: 30 * ms, jitter: 10 * ms, lost: burstLoss(40, 3), doubled: every(9)}},
		{"satellite", impairment{delay: 300 * ms}, impairment{delay: 300 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var link *emulatedLink
			_, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
				r := newReflector(t)
				link = newEmulatedLink(t, net.UDPAddrFromAddrPort(r.MediaAddr()), c.up, c.down)
				return measure(t, t.Context(), env(), media.VoiceConfig{
					Signaller: linked{direct{r}, link}, Duration: 2 * time.Second,
				})
			})
			if d.State != report.MediaComplete || !strings.HasSuffix(d.Path, " udp") {
				t.Fatalf("got state %s, path %q; want %s, ending with %q", d.State, d.Path, report.MediaComplete, " udp")
			}
			up, down := link.up.truth(), link.down.truth()
			compareCounts(t, d, up, down)
			compareTimes(t, d, up, down)
		})
	}
}

// left returns the number of packets that the probe excluded because they were in
// flight.
func left(d *report.MediaVoice, down truth) int { return down.passed + down.dropped - *d.DownSent }

func compareCounts(t *testing.T, d *report.MediaVoice, up, down truth) {
	t.Helper()
	if n := left(d, down); n > 0 {
		if *d.RTTP50MS < 300 {
			t.Errorf("%d packets excluded with a round trip of only %.1f ms", n, *d.RTTP50MS)
		}
		if *d.UpLossPct != 0 || *d.DownLossPct != 0 {
			t.Errorf("packets in flight count as lost: up %.2f %%, down %.2f %%", *d.UpLossPct, *d.DownLossPct)
		}
		return
	}
	sameLoss(t, "up", up, *d.UpReceived, *d.UpLossPct, *d.UpLossCI95)
	sameLoss(t, "down", down, *d.DownReceived, *d.DownLossPct, *d.DownLossCI95)
	if got, want := *d.Reordered, up.reordered+down.reordered; got != want {
		t.Errorf("got %d reordered, want %d", got, want)
	}
	if got, want := *d.Duplicates, up.doubled+down.doubled; got != want {
		t.Errorf("got %d duplicates, want %d", got, want)
	}
}

func compareTimes(t *testing.T, d *report.MediaVoice, up, down truth) {
	t.Helper()
	if left(d, down) == 0 {
		near(t, "up jitter", *d.UpJitterMS, up.jitterMS, jitterToleranceMS)
		near(t, "down jitter", *d.DownJitterMS, down.jitterMS, jitterToleranceMS)
	}
	if up.doubled == 0 {
		near(t, "RTT p50", *d.RTTP50MS, roundTripP50MS(up, down, *d.Sent), rttToleranceMS)
	}
}

func sameLoss(t *testing.T, direction string, truth truth, received int, pct float64, ci report.Interval) {
	t.Helper()
	if received != truth.passed {
		t.Errorf("%s: got %d received, but the link passed %d", direction, received, truth.passed)
	}
	want := 100 * float64(truth.dropped) / float64(truth.passed+truth.dropped)
	near(t, direction+" loss", pct, want, 0.001)
	if want < ci[0] || want > ci[1] {
		t.Errorf("%s: true loss %.2f %% outside its interval %v", direction, want, ci)
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.3f, want %.3f ± %.3f", what, got, want, tolerance)
	}
}

// Only a loss in doubt extends the stream, and the figures cover all of it.
func TestDoubtfulLossIsMeasuredLonger(t *testing.T) {
	for name, c := range map[string]struct {
		lost        func(*rand.Rand, int) bool
		least, most int
	}{
		"nothing lost": {func(*rand.Rand, int) bool { return false }, 90, 100},
		"5 %":          {func(_ *rand.Rand, n int) bool { return n%20 == 19 }, 135, 150},
		"half":         {func(_ *rand.Rand, n int) bool { return n > 20 && n%2 == 1 }, 90, 100},
	} {
		t.Run(name, func(t *testing.T) {
			_, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
				r := newReflector(t)
				link := newEmulatedLink(t, net.UDPAddrFromAddrPort(r.MediaAddr()), impairment{lost: c.lost}, impairment{})
				return measure(t, t.Context(), env(), media.VoiceConfig{
					Signaller: linked{direct{r}, link}, Duration: 2 * time.Second, Longest: 3 * time.Second,
				})
			})
			if d.State != report.MediaComplete || d.Sent == nil || *d.Sent < c.least || *d.Sent > c.most {
				t.Fatalf("got state %s, %v sent; want %d to %d", d.State, *d.Sent, c.least, c.most)
			}
		})
	}
}
