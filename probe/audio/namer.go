package audio

import (
	"maps"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// namer names the devices of one report, and keeps what the system calls them
// for this machine's screen: a person looks for that name in the settings.
type namer struct {
	persons []string          // names of people to leave out
	shown   map[string]string // by field of the report; only where it differs
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

// tell hands the kept names to the screen.
func (n *namer) tell(progress func(probe.Event)) {
	if len(n.shown) > 0 {
		progress(probe.Event{Kind: probe.EventDeviceNames, Names: maps.Clone(n.shown)})
	}
}
