package audio

import (
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// firstUses holds the programs that used the microphones before our own capture
// began. Some systems count our capture as a use as well.
type firstUses struct {
	looked bool
	uses   osstate.Uses
}

func (f *firstUses) look(s osstate.Snapshot) {
	if !f.looked {
		f.looked, f.uses = true, s.Uses
	}
}

// describe reports who used the device. deviceID is "" if the device is unknown
// because it did not open: then a user of any microphone may be the one that holds it.
func (f *firstUses) describe(d *report.AudioInput, deviceID string) {
	d.UsedElsewhere, d.HeldBy = f.uses.Of(deviceID)
}
