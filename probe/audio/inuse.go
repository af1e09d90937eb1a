package audio

import (
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// firstUses remembers who used the microphones before our own capture began;
// some systems count that one too afterwards.
type firstUses struct {
	looked bool
	uses   osstate.Uses
}

func (f *firstUses) look(s osstate.Snapshot) {
	if !f.looked {
		f.looked, f.uses = true, s.Uses
	}
}

// describe tells who used the device, which is unknown ("") where it did not
// open: then anyone at any microphone may be the one who holds it.
func (f *firstUses) describe(d *report.AudioInput, deviceID string) {
	d.UsedElsewhere, d.HeldBy = f.uses.Of(deviceID)
}
