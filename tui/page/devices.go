package page

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/tui/words"
)

// Microphone is a capture device to choose from.
type Microphone struct {
	// ID is what a check accepts; "" if the name is sufficient.
	ID   string
	Name string
	// Twin is its number among those of the same name, from 1; 0 if the name is unique.
	Twin int
	// IsDefault marks the device for programs that do not choose one.
	IsDefault bool
	// IsMonitor marks the monitor of a loudspeaker. It is never offered.
	IsMonitor   bool
	IsBluetooth bool
}

// Label returns the displayed name of a microphone.
func (m Microphone) Label(w words.Words, width int) string {
	twin := ""
	if m.Twin > 0 {
		twin = " " + w.T("devices.twin", "number", m.Twin)
	}
	name := words.Clean(m.Name, max(8, width-len([]rune(twin))))
	if name == "" {
		name = w.T("devices.unnamed")
	}
	return name + twin
}

// Device returns the microphone as a check accepts it.
func (m Microphone) Device() string { return cmp.Or(m.ID, m.Name) }

// NumberTwins numbers microphones of the same name in their order, because the name
// alone does not identify them.
func NumberTwins(all []Microphone) []Microphone {
	count := map[string]int{}
	for _, m := range all {
		count[m.Name]++
	}
	seen := map[string]int{}
	numbered := slices.Clone(all)
	for i, m := range numbered {
		if seen[m.Name]++; count[m.Name] > 1 {
			numbered[i].Twin = seen[m.Name]
		}
	}
	return numbered
}

// notes returns the remarks after the name.
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

// Describe returns the microphone with its remarks.
func (m Microphone) Describe(w words.Words, width int) string {
	notes := m.notes(w)
	return m.Label(w, max(8, width-len([]rune(notes)))) + notes
}

// Devices lets a person choose the microphone.
type Devices struct {
	all    []Microphone
	cursor int
}

// NewDevices offers the microphones among all, with the default one selected.
func NewDevices(all []Microphone) Devices {
	var d Devices
	for _, m := range NumberTwins(all) {
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

// Needed reports whether there is more than one microphone.
func (p Devices) Needed() bool { return len(p.all) > 1 }

// All returns the offered microphones.
func (p Devices) All() []Microphone { return p.all }

// Chosen returns the selected microphone; the zero value if there is none.
func (p Devices) Chosen() Microphone {
	if len(p.all) == 0 {
		return Microphone{}
	}
	return p.all[p.cursor]
}

// Choose selects microphone i, limited to the valid range.
func (p Devices) Choose(i int) Devices {
	p.cursor = max(0, min(len(p.all)-1, i))
	return p
}

// Move moves the selection by n, limited to the valid range.
func (p Devices) Move(n int) Devices { return p.Choose(p.cursor + n) }

// View draws the page.
func (p Devices) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	room := max(1, s.Height-9) // head, title, advice, keys and blank lines
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
