package mirror

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestLossOfLatePackets: the server's last report covers 100 packets and arrives at 2000 ms.
func TestLossOfLatePackets(t *testing.T) {
	const covered = 100
	for name, c := range map[string]struct {
		reported int
		gone     []uint32 // numbers that never returned
		late     []uint32 // numbers that returned after the report
		up, down int
	}{
		"nothing lost":                       {},
		"lost upstream":                      {reported: 4, gone: []uint32{3, 30, 50, 70}, up: 4},
		"lost downstream":                    {gone: []uint32{3, 30, 50}, down: 3},
		"lost in both directions":            {reported: 2, gone: []uint32{3, 30, 50}, up: 2, down: 1},
		"late only":                          {reported: 5, late: []uint32{94, 95, 96, 97, 98}},
		"late, and lost upstream":            {reported: 5, gone: []uint32{3, 30}, late: []uint32{96, 97, 98}, up: 2},
		"late, and lost downstream":          {reported: 3, gone: []uint32{3, 30}, late: []uint32{96, 97, 98}, down: 2},
		"lost upstream, varying downstream":  {reported: 2, gone: []uint32{3, 30}, late: []uint32{98, 99}, up: 2},
		"a report of more than is missing":   {reported: 9, gone: []uint32{3}, up: 1},
		"late packets that were not counted": {reported: 1, late: []uint32{97, 98}},
	} {
		s := &stream{last: &receiverReport{lost: c.reported, highest: covered - 1, arrivedNS: 2000e6}}
		back := make([]bool, 120)
		for i := range back {
			back[i] = true
		}
		for _, seq := range c.gone {
			back[seq] = false
		}
		for _, seq := range c.late {
			// The second arrival is a duplicate.
			s.echoes = append(s.echoes, echo{seq, 2050e6}, echo{seq, 2060e6})
		}
		d := &report.MediaVoice{}
		s.fillLoss(d, back)
		if d.UpReceived == nil || *d.UpReceived != covered-c.up {
			t.Errorf("%s: received upstream %v, want %d", name, d.UpReceived, covered-c.up)
			continue
		}
		wantUp, wantDown := float64(c.up), 100*float64(c.down)/float64(covered-c.up)
		if *d.UpLossPct != wantUp || *d.DownLossPct < wantDown-0.01 || *d.DownLossPct > wantDown+0.01 {
			t.Errorf("%s: loss %v up and %v down, want %v and %v", name, *d.UpLossPct, *d.DownLossPct, wantUp, wantDown)
		}
	}
}

// TestPathOfAPair: the path of a pair is direct UDP only if both directions are.
func TestPathOfAPair(t *testing.T) {
	for _, c := range []struct{ up, down, want string }{
		{"host udp", "host udp", "host udp"},
		{"srflx udp", "host udp", "srflx udp"},
		{"host udp", "host tcp", "host tcp"},
		{"host tcp", "host udp", "host tcp"},
		{"host udp", "relay udp", "relay udp"},
		{"relay tls", "host tcp", "relay tls"},
		{"host udp", "", ""},
	} {
		if got := lessDirect(c.up, c.down); got != c.want {
			t.Errorf("lessDirect(%q, %q) = %q, want %q", c.up, c.down, got, c.want)
		}
	}
}
