package store

import (
	"slices"
	"testing"
)

func TestPhoneKeys(t *testing.T) {
	for text, want := range map[string][]string{
		"030 123456":                        {"030123456"},
		"030/12.34.56":                      {"030123456"},
		"0049 30 123456":                    {"030123456"},
		"+49 30 123456":                     {"030123456"},
		"+49 (0)30 123456":                  {"030123456"},
		"(+49) 30 – 12 34 56":               {"030123456"},
		"(030) 12\u00a034\u202f56":          {"030123456"},
		"+43 1 234":                         {"00431234"},
		"0043 1 234":                        {"00431234"},
		"0228 / 55 50-101, mobil 0171 2345": {"02285550101", "01712345"},
		"+49 228 1; +49228/1":               {"02281"},
		"Tel. 112":                          {"112"},
		"none":                              nil,
		"":                                  nil,
		"-":                                 nil,
	} {
		if got := PhoneKeys(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"+49 228 55": "022855", "228/55": "22855", "0049": "0", "55 x": "", "": "", "-": ""} {
		if got, ok := PhonePart(text); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, ok %v; want %q", text, got, ok, want)
		}
	}
}
