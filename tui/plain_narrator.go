package tui

import (
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
	"github.com/tonprobe/tonprobe/tui/page"
)

// narrator prints the events of a running check. It prints nothing during the recording,
// because a screen reader would read it aloud into the microphone. Remarks about the voice
// are part of the verdict; other lines are printed afterwards.
type narrator struct {
	plain
	page      page.Checking
	quiet     bool // the microphone is not used
	recording bool
	waiting   []string
	elsewhere bool // the other microphone has been mentioned
}

func (n *narrator) hear(e probe.Event) {
	n.page = n.page.Take(e, n.Now())
	w := n.words
	if !n.quiet {
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

// follow tracks whether a recording is in progress. It starts with the probe and not with
// the invitation to speak, because the quiet lead is recorded too. The loudspeaker test
// records as well.
func (n *narrator) follow(e probe.Event) {
	switch {
	case e.Probe == report.ProbeAudioOutput && e.Kind == probe.EventDone:
		n.recording = false
	case e.Probe != report.ProbeAudioInput:
	case e.Kind == probe.EventStarted:
		n.recording = true
	case e.Kind == probe.EventListening:
		n.recording = true
		if !n.asks() { // otherwise the request to read was printed before
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

// later prints a line after the recording.
func (n *narrator) later(line string) { n.waiting = append(n.waiting, line) }
