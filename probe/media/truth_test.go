package media_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// toleranceMS is the largest difference between the probe's jitter or round trip and what the
	// link did, with exact timestamps.
	toleranceMS = 0.3
	// stampErrors is how many times the mean error of a timestamp is added to that tolerance. A round
	// trip has four transmissions that neither the link's delay nor the reflector's turnaround
	// contains. A single late timestamp changes two differences of a jitter, and late ones are rare,
	// so their number in 100 packets varies much: twice the mean number is allowed for.
	stampErrors = 8
	// calmMS is the mean error of a timestamp on a machine that nothing else disturbs.
	calmMS = 0.02
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
	need.Full(t, "compares times with those of an emulated link")
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
			var found differences
			for range attempts {
				link, d, stampErrorMS := calmest(t, c.up, c.down)
				if d.State != report.MediaComplete || !strings.HasSuffix(d.Path, " udp") {
					t.Fatalf("got state %s, path %q; want %s, ending with %q", d.State, d.Path, report.MediaComplete, " udp")
				}
				up, down := link.up.truth(), link.down.truth()
				if counts := compareCounts(d, up, down); len(counts) > 0 {
					t.Fatalf("%q", counts)
				}
				if found = compareTimes(d, up, down, toleranceMS+stampErrors*stampErrorMS); len(found) == 0 {
					return
				}
				t.Logf("differs: %q", found)
			}
			t.Errorf("the times differ in each of %d runs: %q", attempts, found)
		})
	}
}

// attempts is the number of runs in which a time must differ: a wrong figure is wrong in each, an
// interruption of the machine between two timestamps is not.
const attempts = 3

// differences describes the figures that do not agree with the link.
type differences []string

func (f *differences) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f *differences) near(what string, got, want, tolerance float64) {
	if !(math.Abs(got-want) <= tolerance) {
		f.add("%s: got %.3f, want %.3f ± %.3f", what, got, want, tolerance)
	}
}

// calmest measures over a link until the timestamps were exact, and otherwise returns the one of
// several runs with the most exact ones. The measured figures have no influence on that.
func calmest(t *testing.T, up, down impairment) (link *emulatedLink, d *report.MediaVoice, stampErrorMS float64) {
	t.Helper()
	const runs = 6
	stampErrorMS = math.Inf(1)
	for range runs {
		var l *emulatedLink
		var errorMS float64
		_, got := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
			r := newReflector(t)
			l = newEmulatedLink(t, net.UDPAddrFromAddrPort(r.MediaAddr()), up, down)
			control := startStampControl(t)
			defer func() { errorMS = control.stop() }()
			return measure(t, t.Context(), env(), media.VoiceConfig{
				Signaller: linked{direct{r}, l}, Duration: 2 * time.Second,
			})
		})
		t.Logf("mean error of a timestamp: %.4f ms", errorMS)
		if errorMS < stampErrorMS {
			link, d, stampErrorMS = l, got, errorMS
		}
		if stampErrorMS <= calmMS {
			break
		}
	}
	return link, d, stampErrorMS
}

// left returns the number of packets that the probe excluded because they were in
// flight.
func left(d *report.MediaVoice, down truth) int { return down.passed + down.dropped - *d.DownSent }

func compareCounts(d *report.MediaVoice, up, down truth) (f differences) {
	if n := left(d, down); n > 0 {
		if *d.RTTP50MS < 300 {
			f.add("%d packets excluded with a round trip of only %.1f ms", n, *d.RTTP50MS)
		}
		if *d.UpLossPct != 0 || *d.DownLossPct != 0 {
			f.add("packets in flight count as lost: up %.2f %%, down %.2f %%", *d.UpLossPct, *d.DownLossPct)
		}
		return f
	}
	f.sameLoss("up", up, *d.UpReceived, *d.UpLossPct, *d.UpLossCI95)
	f.sameLoss("down", down, *d.DownReceived, *d.DownLossPct, *d.DownLossCI95)
	if got, want := *d.Reordered, up.reordered+down.reordered; got != want {
		f.add("got %d reordered, want %d", got, want)
	}
	if got, want := *d.Duplicates, up.doubled+down.doubled; got != want {
		f.add("got %d duplicates, want %d", got, want)
	}
	return f
}

func compareTimes(d *report.MediaVoice, up, down truth, toleranceMS float64) (f differences) {
	if left(d, down) == 0 {
		f.near("up jitter", *d.UpJitterMS, up.jitterMS, toleranceMS)
		f.near("down jitter", *d.DownJitterMS, down.jitterMS, toleranceMS)
	}
	if up.doubled == 0 {
		f.near("RTT p50", *d.RTTP50MS, roundTripP50MS(up, down, *d.Sent), toleranceMS)
	}
	return f
}

func (f *differences) sameLoss(direction string, truth truth, received int, pct float64, ci report.Interval) {
	if received != truth.passed {
		f.add("%s: got %d received, but the link passed %d", direction, received, truth.passed)
	}
	want := 100 * float64(truth.dropped) / float64(truth.passed+truth.dropped)
	f.near(direction+" loss", pct, want, 0.001)
	if want < ci[0] || want > ci[1] {
		f.add("%s: true loss %.2f %% outside its interval %v", direction, want, ci)
	}
}

// TestDoubtfulLossIsMeasuredLonger: only a loss in doubt extends the stream, and the
// figures cover all of it.
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
			t.Parallel()
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
