package page

import (
	"strings"

	"github.com/tonprobe/tonprobe/tui/words"
)

// Microphone is a capture device to choose from.
type Microphone struct {
	Name string
	// IsDefault marks the one programs get that do not choose.
	IsDefault bool
	// IsMonitor marks the echo of a loudspeaker. It is never offered.
	IsMonitor   bool
	IsBluetooth bool
}

// Label is what a person reads of a microphone.
func (m Microphone) Label(w words.Words, width int) string {
	name := words.Clean(m.Name, width)
	if name == "" {
		name = w.T("devices.unnamed")
	}
	return name
}

// notes are the remarks behind the name.
func (m Microphone) notes(w words.Words) string {
	var notes []string
	if m.IsDefault {
		notes = append(notes, w.T("devices.default"))
	}
	if m.IsBluetooth && !strings.Contains(strings.ToLower(m.Name), "bluetooth") {
		notes = append(notes, w.T("devices.bluetooth"))
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// Describe is the microphone with its remarks.
func (m Microphone) Describe(w words.Words, width int) string {
	notes := m.notes(w)
	return m.Label(w, max(8, width-len([]rune(notes)))) + notes
}

// Devices lets a person choose the microphone.
type Devices struct {
	all    []Microphone
	cursor int
}

// NewDevices offers the microphones among all, the default one chosen.
func NewDevices(all []Microphone) Devices {
	var d Devices
	for _, m := range all {
		if m.IsMonitor {
			continue
		}
		if m.IsDefault {
			d.cursor = len(d.all)
		}
		d.all = append(d.all, m)
	}
	return d
}

// Needed reports whether there is a choice at all.
func (p Devices) Needed() bool { return len(p.all) > 1 }

// All are the microphones offered.
func (p Devices) All() []Microphone { return p.all }

// Chosen is the microphone the cursor is on; the zero value when there is none.
func (p Devices) Chosen() Microphone {
	if len(p.all) == 0 {
		return Microphone{}
	}
	return p.all[p.cursor]
}

// Choose puts the cursor on microphone i; out of range goes to the end.
func (p Devices) Choose(i int) Devices {
	p.cursor = max(0, min(len(p.all)-1, i))
	return p
}

// Move moves the cursor by n, not beyond the ends.
func (p Devices) Move(n int) Devices { return p.Choose(p.cursor + n) }

// View draws the page.
func (p Devices) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	room := max(1, s.Height-9) // head, title, advice, keys and the air between
	from := max(0, min(p.cursor-room/2, len(p.all)-room))
	var lines []string
	for i := from; i < min(len(p.all), from+room); i++ {
		name := p.all[i].Describe(w, width-4)
		if i == p.cursor {
			lines = append(lines, s.Style.Accent.Render("  ▸ "+name))
		} else {
			lines = append(lines, "    "+name)
		}
	}
	return s.frame(w.T("devices.step"), []Block{
		{Text: s.Style.Strong.Render(wrap(w.T("devices.title"), width))},
		{Text: strings.Join(lines, "\n")},
		{Text: s.Style.Quiet.Render(wrap(w.T("devices.advice"), width)), Spare: 2},
	}, k.Choose, k.Confirm, k.Quit)
}
