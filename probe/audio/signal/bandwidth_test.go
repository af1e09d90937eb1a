package signal

import (
	"math"
	"testing"
)

// TestBandRatioUnderNoise checks that a band masked by noise is unknown, not
// absent, and that noise too weak to mask the upper band does not prevent the
// detection of a telephone path.
func TestBandRatioUnderNoise(t *testing.T) {
	const unknown = 1.0
	for name, tt := range map[string]struct{ speechDB, quietDB, want float64 }{
		"wide band in quiet":               {-20, -80, -20},
		"wide band in weaker noise":        {-20, -26, -20},
		"masked by noise":                  {-35, -30, unknown},
		"quiet parts louder than speech":   {-300, -25, unknown},
		"telephone in quiet":               {-300, -300, -100},
		"telephone, hiss after it":         {-300, -60, -60},
		"telephone that leaks, hiss after": {-52, -70, -52},
	} {
		t.Run(name, func(t *testing.T) {
			w := wideSpectrum{bands: 64, bandHz: 125}
			inBand := func(b int, fromHz, toHz float64) bool {
				centre := (float64(b) + 0.5) * w.bandHz
				return centre >= fromHz && centre <= toHz
			}
			telephone, wideband := 0, 0
			for b := range w.bands {
				telephone += oneIf(inBand(b, telephoneLowHz, telephoneHighHz))
				wideband += oneIf(inBand(b, widebandLowHz, widebandHighHz))
			}
			var speech, quiet [maxBands]float32
			for b := range w.bands {
				switch {
				case inBand(b, telephoneLowHz, telephoneHighHz):
					speech[b] = float32(1 / float64(telephone))
				case inBand(b, widebandLowHz, widebandHighHz):
					quiet[b] = float32(math.Pow(10, tt.quietDB/10) / float64(wideband))
					speech[b] = quiet[b] + float32(math.Pow(10, tt.speechDB/10)/float64(wideband))
				}
			}
			var m bandwidthMeter
			for range minBandFrames {
				m.addSpeech(&speech)
				m.addQuiet(&quiet)
			}
			got := m.bandRatioDB(&w)
			switch {
			case got == nil:
				if tt.want != unknown {
					t.Errorf("got unknown, want %v dB", tt.want)
				}
			case math.Abs(*got-tt.want) > 0.1:
				t.Errorf("got %.2f dB, want %v", *got, tt.want)
			}
		})
	}
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}
