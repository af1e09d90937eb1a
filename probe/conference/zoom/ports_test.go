package zoom

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestPublished: every entry is a port or an ascending range, and the documentation names it.
func TestPublished(t *testing.T) {
	p, err := Published()
	if err != nil || p.Source == "" || len(p.TCP) == 0 || len(p.UDP) == 0 {
		t.Fatalf("got %+v, error %v; want ports of both transports with their source", p, err)
	}
	doc, err := os.ReadFile("../../../docs/conference.md")
	if err != nil {
		t.Fatal(err)
	}
	for transport, entries := range map[string][]string{"TCP": p.TCP, "UDP": p.UDP} {
		if text := transport + " " + strings.Join(entries, ", "); !strings.Contains(string(doc), text) {
			t.Errorf("docs/conference.md does not contain %q", text)
		}
		for _, entry := range entries {
			first, last, isRange := strings.Cut(entry, "-")
			from, err := strconv.ParseUint(first, 10, 16)
			if err != nil || from == 0 {
				t.Errorf("%s %q is not a port", transport, entry)
			}
			if !isRange {
				continue
			}
			if to, err := strconv.ParseUint(last, 10, 16); err != nil || to <= from {
				t.Errorf("%s %q is not an ascending range", transport, entry)
			}
		}
	}
}
