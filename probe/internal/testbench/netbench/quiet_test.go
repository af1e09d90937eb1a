package netbench

import "testing"

func TestBusyShareOfProcessors(t *testing.T) {
	before, err := parseProcessors("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3\n")
	if err != nil {
		t.Fatal(err)
	}
	after, err := parseProcessors("cpu  140 0 110 740 110 0 0 0 40 0\n")
	if err != nil {
		t.Fatal(err)
	}
	near(t, "busy", after.busySincePct(before), 50, 1e-9)
	near(t, "no time passed", before.busySincePct(before), 0, 0)
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h"} {
		if _, err := parseProcessors(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
