package crash

import (
	"reflect"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestOneUnexpectedEnd: Windows records it several times while it starts, slowly on an old computer.
func TestOneUnexpectedEnd(t *testing.T) {
	for name, c := range map[string]struct {
		events []report.HostEvent
		want   []string
	}{
		"power lost":         {[]report.HostEvent{event(0, report.EventUnexpectedShutdown, "", "power_button"), event(70*time.Second, report.EventUnexpectedShutdown, "", "")}, []string{"unexpected_shutdown  power_button"}},
		"blue screen":        {[]report.HostEvent{event(0, report.EventBluescreen, "", "0x9f"), event(30*time.Second, report.EventUnexpectedShutdown, "", ""), event(2*time.Minute, report.EventBluescreen, "", "0x9f")}, []string{"bluescreen  0x9f"}},
		"the recorder first": {[]report.HostEvent{event(0, report.EventUnexpectedShutdown, "", ""), event(20*time.Second, report.EventBluescreen, "", "0x9f")}, []string{"bluescreen  0x9f"}},
		"two":                {[]report.HostEvent{event(0, report.EventUnexpectedShutdown, "", ""), event(20*time.Minute, report.EventBluescreen, "", "")}, []string{"unexpected_shutdown", "bluescreen"}},
	} {
		if got := eventTexts(merge(c.events)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
