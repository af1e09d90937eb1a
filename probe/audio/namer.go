package audio

import (
	"maps"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// namer determines the device names of one report. It keeps the system's own names
// for the screen of this machine, because people look for them in the settings.
type namer struct {
	persons []string          // personal names to remove
	shown   map[string]string // by report field; only where the system's name differs
}

func newNamer(persons []string) *namer { return &namer{persons: persons, shown: map[string]string{}} }

func (n *namer) microphone(field string, d capture.Device) string {
	return n.keep(field, d.Name, publicMicrophone(d, n.persons))
}

func (n *namer) loudspeaker(field string, d capture.Device) string {
	return n.keep(field, d.Name, publicLoudspeaker(d, n.persons))
}

func (n *namer) keep(field, shown, public string) string {
	delete(n.shown, field)
	if shown != "" && shown != public {
		n.shown[field] = shown
	}
	return public
}

// tell emits the system's names for the screen.
func (n *namer) tell(progress func(probe.Event)) {
	if len(n.shown) > 0 {
		progress(probe.Event{Kind: probe.EventDeviceNames, Names: maps.Clone(n.shown)})
	}
}
