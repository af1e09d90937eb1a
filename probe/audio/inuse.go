package audio

import (
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// firstUses contains the programs that used the microphones before our own capture began,
// because some systems count our capture as a use as well.
type firstUses struct {
	looked bool
	uses   osstate.Uses
}

func (f *firstUses) look(s osstate.Snapshot) {
	if !f.looked {
		f.looked, f.uses = true, s.Uses
	}
}

// describe reports who uses the device. deviceID is "" if the device did not open and is
// therefore unknown. In that case a program that uses any microphone may hold it.
func (f *firstUses) describe(d *report.AudioInput, deviceID string) {
	d.UsedElsewhere, d.HeldBy = f.uses.Of(deviceID)
}
