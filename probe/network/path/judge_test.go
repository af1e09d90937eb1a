package path

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestPathWithoutFaultSegmentIsUnknown: a path without a fault segment is not
// necessarily good. Only an interrupted line explains why the segment is unknown.
func TestPathWithoutFaultSegmentIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		cut  *bool
		want report.Status
	}{"never asked": {nil, report.StatusUnknown}, "no cut": {new(false), report.StatusUnknown}, "a cut": {new(true), report.StatusOK}} {
		d := &report.NetworkPath{Segments: []report.PathSegment{{}}, FaultSegment: cannotTell, UDPCut: c.cut}
		if got := judgePath(d).Status; got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
