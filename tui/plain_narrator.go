package tui

import (
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
	"github.com/tonprobe/tonprobe/tui/page"
)

// narrator says the events of a running check. While the microphone records it
// says nothing: a screen reader would read it aloud, into the microphone. What
// there is to say of the voice stands in the verdict; the rest waits.
type narrator struct {
	plain
	page      page.Checking
	recording bool
	waiting   []string
	elsewhere bool // the other microphone has been named
}

func (n *narrator) hear(e probe.Event) {
	n.page = n.page.Take(e, n.Now())
	w := n.words
	if !n.Consent.NoAudio {
		n.follow(e)
	}
	if other := n.page.Elsewhere(); other.Found() && !n.elsewhere {
		n.elsewhere = true
		n.later(other.Sentence(w))
	}
	if e.Kind == probe.EventDone && e.Result != nil {
		n.later(w.T("plain.done", "probe", w.Probe(e.Probe), "state", w.State(n.page.StatusOf(e.Probe))))
	}
	if !n.recording {
		for _, line := range n.waiting {
			n.say(line)
		}
		n.waiting = nil
	}
}

// follow keeps track of the recording. It begins with the probe, not with the
// invitation to speak: the room is recorded first. The test of the loudspeaker
// records too.
func (n *narrator) follow(e probe.Event) {
	switch {
	case e.Probe == report.ProbeAudioOutput && e.Kind == probe.EventDone:
		n.recording = false
	case e.Probe != report.ProbeAudioInput:
	case e.Kind == probe.EventStarted:
		n.recording = true
	case e.Kind == probe.EventListening:
		n.recording = true
		if !n.asks() { // otherwise they have been told to read
			n.say(n.words.T("plain.listening") + " " + n.words.T("advice.speak"))
		}
	case e.Kind == probe.EventDone:
		a := n.page.Advice()
		n.recording = a == meter.Tone
		if a == meter.Finished || a == meter.Tone {
			n.say(n.words.T("advice." + string(a)))
		}
	}
}

// later says a line when nothing is recorded any more.
func (n *narrator) later(line string) { n.waiting = append(n.waiting, line) }
