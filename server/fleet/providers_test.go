package fleet_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/fleet"
)

func TestProviders(t *testing.T) {
	p, err := fleet.ReadProviders(strings.NewReader("# comment\n203.0.113.0\t203.0.113.127\t64500\tDE\tEXAMPLE-NET\r\n" +
		"198.51.100.0\t198.51.100.255\t0\tNone\tNot routed\n\n2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64501\tDE\tEXAMPLE 6\n"))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"203.0.113.0": "AS64500 EXAMPLE-NET", "203.0.113.127": "AS64500 EXAMPLE-NET", "203.0.113.128": "", "203.0.112.255": "",
		"::ffff:203.0.113.5": "AS64500 EXAMPLE-NET", "198.51.100.7": "", "2001:db8:1::": "AS64501 EXAMPLE 6", "2001:db9::": "", "0.0.0.0": "",
	} {
		if got := p.Of(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
	if got := (*fleet.Providers)(nil).Of(netip.MustParseAddr("203.0.113.1")); got != "" {
		t.Errorf("without a table: got %q, want none", got)
	}
	for name, text := range map[string]string{
		"too few fields":     "203.0.113.0\t203.0.113.127\t64500\tDE\n",
		"no address":         "x\t203.0.113.127\t64500\tDE\tN\n",
		"last before first":  "203.0.113.9\t203.0.113.1\t64500\tDE\tN\n",
		"two families":       "203.0.113.9\t2001:db8::\t64500\tDE\tN\n",
		"overlap":            "203.0.113.0\t203.0.113.9\t1\tDE\tN\n203.0.113.9\t203.0.113.20\t2\tDE\tM\n",
		"line without limit": strings.Repeat("x", 1<<20),
	} {
		if _, err := fleet.ReadProviders(strings.NewReader(text)); err == nil {
			t.Errorf("%s was accepted", name)
		} else if name != "line without limit" && !errors.Is(err, fleet.ErrProviderTable) {
			t.Errorf("%s: got error %v, want %v", name, err, fleet.ErrProviderTable)
		}
	}
}
