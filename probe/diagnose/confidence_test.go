package diagnose

import (
	"math"
	"testing"
)

// TestWilson uses the vectors of Newcombe, Statistics in Medicine 17 (1998) 857-872,
// table I, method 3.
func TestWilson(t *testing.T) {
	tests := []struct{ hits, n, low, high float64 }{
		{81, 263, 25.53, 36.62},
		{15, 148, 6.24, 16.05},
		{0, 20, 0, 16.11},
		{1, 29, 0.61, 17.18},
	}
	for _, tt := range tests {
		got := Wilson95(tt.hits, tt.n)
		if math.Abs(got[0]-tt.low) > 0.005 || math.Abs(got[1]-tt.high) > 0.005 {
			t.Errorf("Wilson95(%v, %v) = %v, want %v..%v", tt.hits, tt.n, got, tt.low, tt.high)
		}
	}
	if got := Wilson95(0, 0); got[0] != 0 || got[1] != 100 {
		t.Errorf("an empty sample gives %v, want 0..100", got)
	}
}

func TestConfidenceGrowsWithTheEvidence(t *testing.T) {
	curves := map[string]func(x float64) float64{
		"byMargin":   func(x float64) float64 { return byMargin(x, 6) },
		"byRatio":    func(x float64) float64 { return byRatio(30+x, 30) },
		"byInterval": func(x float64) float64 { return byInterval(5+x, 4+x*0.9, 5) },
	}
	for name, curve := range curves {
		last := 0.0
		for _, x := range []float64{0, 0.5, 1, 2, 4, 8, 16, 32, 64} {
			c := curve(x)
			if c < last || c < 0.5 || c > 0.99 {
				t.Errorf("%s(%v) = %v after %v, want 0.5 to 0.99 and no decrease", name, x, c, last)
			}
			last = c
		}
		if last < 0.9 {
			t.Errorf("%s: far beyond the limit got only %v, want at least 0.9", name, last)
		}
	}
}

func TestByIntervalIsTheNormalProbability(t *testing.T) {
	// The limit one standard error under the share: Φ(1) = 0.8413.
	if got := byInterval(10, 10-1.96*2, 8); math.Abs(got-0.8413) > 0.0001 {
		t.Errorf("byInterval = %v, want 0.8413", got)
	}
	if got := byInterval(5, 5, 4); got != contradicted {
		t.Errorf("an interval of zero width: got %v, want %v", got, contradicted)
	}
}
