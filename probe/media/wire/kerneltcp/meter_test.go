package kerneltcp

import "testing"

func TestSince(t *testing.T) {
	for name, c := range map[string]struct {
		before, now count
		want        int64
	}{
		"segments, also those out of order": {count{inOrder: 1448, segments: 1, segmentBytes: 1448}, count{inOrder: 1448, segments: 4, segmentBytes: 1448}, 3 * 1448},
		"the counter wraps around":          {count{segments: 1<<32 - 1, segmentBytes: 1000}, count{segments: 1, segmentBytes: 1000}, 2000},
		"loopback":                          {count{inOrder: 10, segments: 1}, count{inOrder: 65_010, segments: 2}, 65_000},
		"a kernel without segments":         {count{inOrder: 10}, count{inOrder: 2906, segmentBytes: 1448}, 2896},
		"nothing":                           {count{inOrder: 10, segments: 3, segmentBytes: 1448}, count{inOrder: 10, segments: 3, segmentBytes: 1448}, 0},
	} {
		if got := c.now.since(c.before); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
