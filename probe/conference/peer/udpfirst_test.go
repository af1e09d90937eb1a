package peer

import (
	"slices"
	"testing"
)

func TestSplitTCP(t *testing.T) {
	const udp = "a=candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host\r\n"
	const tcp = "a=candidate:2 1 TCP 1671430143 192.0.2.1 7881 typ host tcptype passive\r\n"
	rest, held := splitTCP("v=0\r\n" + udp + tcp + "a=candidate:\r\na=end-of-candidates\r\n")
	if want := "v=0\r\n" + udp + "a=candidate:\r\na=end-of-candidates\r\n"; rest != want {
		t.Errorf("got rest %q, want %q", rest, want)
	}
	if want := []string{"candidate:2 1 TCP 1671430143 192.0.2.1 7881 typ host tcptype passive"}; !slices.Equal(held, want) {
		t.Errorf("got withheld candidates %q, want %q", held, want)
	}
}

// TestWithheldIsBounded: a server may send an unlimited number of candidates.
func TestWithheldIsBounded(t *testing.T) {
	c := &Connection{only: AnyTransport}
	for range 10 * maxCandidates {
		c.Candidate("candidate:2 1 tcp 1 192.0.2.1 7881 typ host tcptype passive")
	}
	if len(c.held) != maxCandidates {
		t.Errorf("%d candidates are held, want %d", len(c.held), maxCandidates)
	}
	if c.withheld("candidate:1 1 udp 1 192.0.2.1 7882 typ host") || (&Connection{only: TCP}).withheld("candidate:2 1 tcp 1 192.0.2.1 7881 typ host") {
		t.Error("a candidate of the chosen transport was withheld")
	}
}
