// Package probelist shows how far the probes of a check have come.
package probelist

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// order is how the usual probes stand in the list whichever begins first;
// others follow as they come.
var order = []string{
	report.ProbeAudioInput, report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeMediaVoice,
}

// List is the probes of one check. The zero value is empty.
type List struct{ items []item }

type item struct {
	name      string
	listening bool
	done      *report.Status
}

// Take notes an event. The List before it stays as it was.
func (l List) Take(e probe.Event) List {
	if e.Probe == "" {
		return l
	}
	items := append([]item(nil), l.items...)
	i := place(&items, e.Probe)
	switch e.Kind {
	case probe.EventListening:
		items[i].listening = true
	case probe.EventDone:
		status := report.StatusUnknown
		if e.Result != nil {
			status = e.Result.Status
		}
		items[i].done = &status
	}
	return List{items}
}

// place returns where name stands, and puts it in when it is new.
func place(items *[]item, name string) int {
	at := len(*items)
	for i, it := range *items {
		if it.name == name {
			return i
		}
		if rank(name) < rank(it.name) && at > i {
			at = i
		}
	}
	*items = append(*items, item{})
	copy((*items)[at+1:], (*items)[at:])
	(*items)[at] = item{name: name}
	return at
}

func rank(name string) int {
	for i, n := range order {
		if n == name {
			return i
		}
	}
	return len(order)
}

// Len is the number of probes.
func (l List) Len() int { return len(l.items) }

// Done reports whether the probe called name has a result.
func (l List) Done(name string) bool {
	for _, it := range l.items {
		if it.name == name {
			return it.done != nil
		}
	}
	return false
}

// View draws the list, at most width cells wide, one line a probe.
func (l List) View(width int, s style.Set, w words.Words) string {
	longest := 0
	for _, it := range l.items {
		longest = max(longest, lipgloss.Width(w.Probe(it.name)))
	}
	var lines []string
	for _, it := range l.items {
		name := w.Probe(it.name)
		pad := strings.Repeat(" ", longest-lipgloss.Width(name))
		lines = append(lines, ansi.Truncate(it.line(name+pad, s, w), width, "…"))
	}
	return strings.Join(lines, "\n")
}

func (it item) line(name string, s style.Set, w words.Words) string {
	mark, state := s.Pending(), w.T("state.running")
	switch {
	case it.done != nil:
		mark, state = s.Status(*it.done), w.State(*it.done)
	case it.listening:
		state = w.T("state.listening")
	}
	return mark.String() + " " + s.Text.Render(name) + "  " + s.Quiet.Render(state)
}
