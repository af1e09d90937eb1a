// Package probelist shows how far the probes of a check have come.
package probelist

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// order is how the usual probes stand in the list whichever begins first;
// others follow as they come.
var order = []string{
	report.ProbeAudioInput, report.ProbeAudioOutput, report.ProbeNetworkLink, report.ProbeNetworkWeb, report.ProbeNetworkPath,
	report.ProbeNAT, report.ProbeNATBehavior, report.ProbeNATTURN, report.ProbeMediaVoice, report.ProbeMediaLoad,
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
			status = diagnose.Standing(*e.Result)
		}
		items[i].done = &status
	}
	return List{items}
}

// Judge puts the statuses of finished probes in place of those they ended with.
func (l List) Judge(results []report.Result) List {
	items := append([]item(nil), l.items...)
	for _, r := range results {
		for i := range items {
			if items[i].name == r.Name && items[i].done != nil {
				items[i].done = new(diagnose.Standing(r))
			}
		}
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

// Status is that of a finished probe; any other is unknown.
func (l List) Status(name string) report.Status {
	for _, it := range l.items {
		if it.name == name && it.done != nil {
			return *it.done
		}
	}
	return report.StatusUnknown
}

// View draws the list, at most width cells wide, one line a probe.
func (l List) View(width int, s style.Set, w words.Words) string {
	return l.draw(width, s, wording{w.Probe, w.State})
}

// Brief is View in short words, for a column of BriefWidth cells.
func (l List) Brief(width int, s style.Set, w words.Words) string {
	return l.draw(width, s, wording{w.BriefProbe, w.BriefState})
}

// BriefWidth is what the longest line of Brief needs; a test holds the texts to it.
const BriefWidth = 25

// wording names probes and states.
type wording struct {
	probe func(name string) string
	state func(report.Status) string
}

// The states of a probe that has no result yet, as package words names them.
const (
	running   report.Status = "running"
	listening report.Status = "listening"
)

func (l List) draw(width int, s style.Set, say wording) string {
	longest := 0
	for _, it := range l.items {
		longest = max(longest, lipgloss.Width(say.probe(it.name)))
	}
	var lines []string
	for _, it := range l.items {
		name := say.probe(it.name)
		pad := strings.Repeat(" ", longest-lipgloss.Width(name))
		mark, state := it.state(s)
		line := mark.String() + " " + s.Text.Render(name+pad) + "  " + s.Quiet.Render(say.state(state))
		lines = append(lines, ansi.Truncate(line, width, "…"))
	}
	return strings.Join(lines, "\n")
}

func (it item) state(s style.Set) (style.Mark, report.Status) {
	switch {
	case it.done != nil:
		return s.Status(*it.done), *it.done
	case it.listening:
		return s.Pending(), listening
	}
	return s.Pending(), running
}
