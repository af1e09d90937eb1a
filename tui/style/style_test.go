package style

import (
	"math"
	"testing"

	"github.com/lucasb-eyer/go-colorful"
	"github.com/muesli/termenv"

	"github.com/tonprobe/tonprobe/probe/report"
)

// luminance returns the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	c, err := colorful.Hex(hex)
	if err != nil {
		t.Fatal(err)
	}
	r, g, b := c.LinearRgb()
	return 0.2126*r + 0.7152*g + 0.0722*b
}

func TestContrastOnDarkAndLight(t *testing.T) {
	for _, hex := range []string{Accent, Good, Caution, Bad, Quiet} {
		l := luminance(t, hex)
		onBlack, onWhite := (l+0.05)/0.05, 1.05/(l+0.05)
		if math.Min(onBlack, onWhite) < 4.4 {
			t.Errorf("%s: got contrast %.2f on black, %.2f on white; want at least 4.4", hex, onBlack, onWhite)
		}
	}
}

func TestUnmeasuredNeverLooksGood(t *testing.T) {
	for _, color := range []bool{true, false} {
		s := New(termenv.TrueColor, color)
		good := s.Status(report.StatusOK).String()
		for _, status := range []report.Status{report.StatusUnknown, report.StatusSkipped, "", "new"} {
			if got := s.Status(status).String(); got == good || got != s.Status(report.StatusUnknown).String() {
				t.Errorf("%q: got the style %q, want that of unknown", status, got)
			}
		}
		for _, v := range []report.Verdict{report.Unknown, "", "new"} {
			if s.Verdict(v).String() == s.Verdict(report.Ready).String() {
				t.Errorf("verdict %q has the style of a good one", v)
			}
		}
	}
}

func TestSignsDifferWithoutColour(t *testing.T) {
	s := New(termenv.TrueColor, false)
	seen := map[string]report.Status{}
	for _, status := range []report.Status{report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusUnknown} {
		sign := s.Status(status).Sign
		if other, twice := seen[sign]; twice {
			t.Errorf("%s and %s have the same sign %s", status, other, sign)
		}
		seen[sign] = status
	}
}
