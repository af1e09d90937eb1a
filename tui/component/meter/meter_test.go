package meter

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/tui/style"
)

var start = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func after(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestBarRisesAtOnceAndFallsByItsRate(t *testing.T) {
	var l Level
	l = l.Fall(start).Hear(probe.Level{PeakDBFS: -12}, start)
	if got, ok := l.Value(); got != -12 || !ok {
		t.Errorf("got %v, ok %v; want -12, true", got, ok)
	}
	l = l.Hear(probe.Level{PeakDBFS: -50}, after(1))
	if got, _ := l.Value(); !near(got, -12-11.8) {
		t.Errorf("after 1 s: got %v, want %v", got, -12-11.8)
	}
	for s := 1.0; s <= 10; s += 0.05 {
		l = l.Fall(after(s))
	}
	if got, ok := l.Value(); got != FloorDBFS || ok {
		t.Errorf("without readings: got %v, ok %v; want %v, false", got, ok, FloorDBFS)
	}
}

func TestPeakIsHeldThenFollows(t *testing.T) {
	l := Level{}.Fall(start).Hear(probe.Level{PeakDBFS: -6}, start)
	if l = l.Hear(probe.Level{PeakDBFS: -40}, after(2.9)); l.peak != -6 {
		t.Errorf("got a held peak of %v, want -6", l.peak)
	}
	if l = l.Hear(probe.Level{PeakDBFS: -40}, after(3.1)); l.peak == -6 {
		t.Error("the peak is held for ever")
	}
}

func TestStrangeReadings(t *testing.T) {
	l := Level{}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e9, -1e9, 3} {
		l = l.Hear(probe.Level{PeakDBFS: v, RMSDBFS: v, ZeroMS: v, Speech: true}, start)
		if got, _ := l.Value(); !(got >= FloorDBFS && got <= 0) {
			t.Errorf("%v: got %v, want %v to 0", v, got, FloorDBFS)
		}
		Bar(l, 40, style.New(termenv.TrueColor, true), Labels{"q", "g", "l"})
	}
	if got := l.Fall(start.Add(-time.Hour)); got.shown > 0 {
		t.Error("a clock set back raises the bar")
	}
}

func TestBarFits(t *testing.T) {
	for _, color := range []bool{true, false} {
		s := style.New(termenv.TrueColor, color)
		for width := range 150 {
			for _, db := range []float64{-60, -30, -20, -9, 0} {
				l := Level{}.Hear(probe.Level{PeakDBFS: db}, start)
				if got := Bar(l, width, s, Labels{"leise", "gut", "zu laut"}); lipgloss.Width(got) > width {
					t.Fatalf("got %d cells, want at most %d", lipgloss.Width(got), width)
				}
			}
		}
	}
}

func TestZonesDifferWithoutColour(t *testing.T) {
	l := Level{}.Hear(probe.Level{PeakDBFS: 0}, start)
	bar, _, _ := strings.Cut(Bar(l, 60, style.New(termenv.TrueColor, false), Labels{"leise", "gut", "zu laut"}), "\n")
	if want := strings.Repeat("-", 30) + strings.Repeat("=", 10) + strings.Repeat("+", 11) + strings.Repeat("#", 9); ansi.Strip(bar) != want {
		t.Errorf("got  %s\nwant %s", ansi.Strip(bar), want)
	}
	l = Level{}.Hear(probe.Level{PeakDBFS: -15}, start).Fall(after(1))
	bar, _, _ = strings.Cut(Bar(l, 60, style.New(termenv.TrueColor, false), Labels{}), "\n")
	if n := strings.Index(ansi.Strip(bar), "|"); n != 44 {
		t.Errorf("the held peak is in column %d, want 44: %s", n, ansi.Strip(bar))
	}
}

func TestLabelsAreBelowTheirZones(t *testing.T) {
	for width, want := range map[int]string{
		46: "       zu leise       |      gut      |zu laut",
		60: "           zu leise          |         gut        | zu laut ",
	} {
		rows := strings.Split(ansi.Strip(Bar(Level{}, width, style.New(termenv.TrueColor, false), Labels{"zu leise", "gut", "zu laut"})), "\n")
		if got := rows[2]; got != want {
			t.Errorf("width %d: got\n%q\nwant\n%q", width, got, want)
		}
	}
}

func TestMuteIsShownAndRemovedAtOnce(t *testing.T) {
	c, _ := talk(Coach{}, 0, 2, probe.Level{RMSDBFS: -27, PeakDBFS: -14, Speech: true}, -1)
	if c = c.Mute(true, after(2)); c.Advice() != Muted {
		t.Errorf("muted: got advice %s, want %s", c.Advice(), Muted)
	}
	if c = c.Mute(false, after(2.1)); c.Advice() == Muted {
		t.Error("got muted after the mute was removed")
	}
	if c = (Coach{}).Mute(true, after(0)).Listen(after(0)); c.Advice() != Muted {
		t.Errorf("muted before there was sound: got advice %s, want %s", c.Advice(), Muted)
	}
	if c = c.Finish(Finished).Mute(true, after(1)); c.Advice() != Finished {
		t.Errorf("after the end: got advice %s, want %s", c.Advice(), Finished)
	}
}

// talk feeds readings 20 a second and returns when advice was first given.
func talk(c Coach, from, seconds float64, l probe.Level, zeroFrom float64) (Coach, map[Advice]float64) {
	first := map[Advice]float64{}
	for s := from + 0.05; s <= from+seconds; s += 0.05 {
		r := l
		if zeroFrom >= 0 {
			r.ZeroMS = (s - zeroFrom) * 1000
		}
		c = c.Hear(r, after(s))
		if _, seen := first[c.Advice()]; !seen {
			first[c.Advice()] = s - from
		}
	}
	return c, first
}

func voice(rms, peak float64) probe.Level {
	return probe.Level{RMSDBFS: rms, PeakDBFS: peak, Speech: true}
}

func TestAdvice(t *testing.T) {
	for name, tc := range map[string]struct {
		level probe.Level
		zero  float64
		want  Advice
		in    float64 // seconds
	}{
		"right":           {voice(-25, -12), -1, Good, 2},
		"soft but enough": {voice(-39, -27), -1, Good, 2},
		"too quiet":       {voice(-41, -30), -1, Louder, 2},
		"too loud":        {voice(-15, -3), -1, Softer, 2},
		"clips":           {voice(-25, -0.1), -1, Softer, 2},
		"nobody speaks":   {probe.Level{RMSDBFS: -70, PeakDBFS: -60}, -1, Speak, 0.1},
		"digital zero":    {probe.Level{RMSDBFS: -120, PeakDBFS: -120}, 0, NoSound, 2},
	} {
		_, first := talk(Coach{}.Listen(start), 0, 4, tc.level, tc.zero)
		if at, ok := first[tc.want]; !ok || at > tc.in {
			t.Errorf("%s: got %v, want %v within %v s", name, first, tc.want, tc.in)
		}
	}
}

func TestAdviceDoesNotFlicker(t *testing.T) {
	c := Coach{}.Listen(start)
	changes, last := 0, c.Advice()
	for i := range 200 { // 10 s; the level varies with each syllable
		rms := -40.0 + 6*math.Sin(float64(i))
		c = c.Hear(voice(rms, rms+10), after(float64(i+1)*0.05))
		if c.Advice() != last {
			changes, last = changes+1, c.Advice()
		}
	}
	if changes > 2 {
		t.Errorf("got %d changes in 10 s, want at most 2", changes)
	}
}

func TestBreathIsNotTheEndOfSpeech(t *testing.T) {
	c, _ := talk(Coach{}.Listen(start), 0, 3, voice(-25, -12), -1)
	c, first := talk(c, 3, 1.5, probe.Level{RMSDBFS: -70, PeakDBFS: -60}, -1)
	if _, asked := first[Speak]; asked || c.Advice() != Good {
		t.Errorf("got %v for a breath, want %v only", first, Good)
	}
	if c, _ = talk(c, 4.5, 3, probe.Level{RMSDBFS: -70, PeakDBFS: -60}, -1); c.Advice() != Speak {
		t.Errorf("a long silence: got advice %s, want %s", c.Advice(), Speak)
	}
}

func TestReturningSoundIsShownAtOnce(t *testing.T) {
	c, _ := talk(Coach{}.Listen(start), 0, 2, probe.Level{RMSDBFS: -120, PeakDBFS: -120}, 0)
	if c = c.Hear(voice(-25, -12), after(2.1)); c.Advice() == NoSound {
		t.Error("got the advice on zeros although sound returned")
	}
}

func TestNoAdviceAfterTheEnd(t *testing.T) {
	c := Coach{}.Listen(start).Finish(Finished)
	c, _ = talk(c.Listen(after(1)), 1, 3, probe.Level{ZeroMS: 9000}, 0)
	if c.Advice() != Finished {
		t.Errorf("got advice %s, want %s", c.Advice(), Finished)
	}
}
