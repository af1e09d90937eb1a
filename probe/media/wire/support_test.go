package wire

import (
	"strings"
	"testing"
)

func TestIsPhone(t *testing.T) {
	for s, want := range map[string]bool{
		"0228 5550100": true, "+49 (228) 555-0100": true, "(0228) 555/01": true, "110": true,
		"": false, "0": false, "call me": false, "0228 5550100\x1b[2J": false, "0228\r\nX: y": false, strings.Repeat("1", 60): false, "٠٢٢٨": false,
	} {
		if IsPhone(s) != want {
			t.Errorf("IsPhone(%q) = %v, want %v", s, !want, want)
		}
	}
}
