package bigcode

import (
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/probe/report"
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestEveryLetterOfACaseCodeIsDrawn(t *testing.T) {
	seen := map[string]rune{}
	for _, r := range crockford + "-" {
		glyph := font()[r]
		if len(glyph) != glyphRows {
			t.Fatalf("%q has %d rows, want %d", r, len(glyph), glyphRows)
		}
		for _, row := range glyph {
			if len(row) != len(glyph[0]) || strings.Trim(row, ".#") != "" {
				t.Errorf("%q: row %q", r, row)
			}
		}
		drawn := strings.Join(glyph, "\n")
		if other, twice := seen[drawn]; twice {
			t.Errorf("%q has the same shape as %q", r, other)
		}
		seen[drawn] = r
		if _, ok := report.NormalizeCase(strings.Repeat(string(r), 6)); !ok && r != '-' {
			t.Errorf("%q is not in any case code", r)
		}
	}
	if len(font()) != len(seen) {
		t.Errorf("got %d letters, want the %d of case codes", len(font()), len(seen))
	}
}

func TestRenderFits(t *testing.T) {
	plain := lipgloss.NewStyle()
	for _, tc := range []struct {
		width, height int
		want          string
		rows          int
	}{
		{120, 10, "██  ", 7}, {76, 10, "▀", 4}, {76, 3, "K 7 P - 3 Q X", 1}, {40, 10, "K 7 P - 3 Q X", 1}, {8, 1, "K7P-3QX", 1},
	} {
		got := Render("K7P-3QX", tc.width, tc.height, plain)
		if lipgloss.Width(got) > tc.width || lipgloss.Height(got) != tc.rows || !strings.Contains(got, tc.want) {
			t.Errorf("%d x %d: got\n%s\nwant %d rows with %q", tc.width, tc.height, got, tc.rows, tc.want)
		}
	}
	if got := Render("<b>", 100, 10, plain); got != "< b >" {
		t.Errorf("unknown letters: got %q, want %q", got, "< b >")
	}
}
