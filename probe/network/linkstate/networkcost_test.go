package linkstate

import "testing"

func TestNetworkCost(t *testing.T) {
	for cost, want := range map[uint32]string{
		0: "unknown", 0x1: "no", 0x2: "yes", 0x4: "yes", 0x1 | 0x40000: "yes", 0x2 | 0x10000: "yes", 0x20000: "unknown", 0x1 | 0x20000: "no",
	} {
		if got := inWords(parseNetworkCost(cost)); got != want {
			t.Errorf("cost %#x: got %s, want %s", cost, got, want)
		}
	}
}

func inWords(metered *bool) string {
	switch {
	case metered == nil:
		return "unknown"
	case *metered:
		return "yes"
	}
	return "no"
}
