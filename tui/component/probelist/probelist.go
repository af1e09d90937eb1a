// Package probelist shows the progress of the probes of a check.
package probelist

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// List contains the probes of one check. The zero value is empty.
type List struct{ items []item }

type item struct {
	name      string
	listening bool
	done      *report.Status
}

// Take returns the list after an event. The receiver is not modified.
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

// Judge replaces the statuses of finished probes by those of results.
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

// place returns the index of name, and appends it if it is new.
func place(items *[]item, name string) int {
	if at := slices.IndexFunc(*items, func(it item) bool { return it.name == name }); at >= 0 {
		return at
	}
	*items = append(*items, item{name: name})
	return len(*items) - 1
}

// Len returns the number of probes.
func (l List) Len() int { return len(l.items) }

// Done reports whether the probe has a result.
func (l List) Done(name string) bool {
	for _, it := range l.items {
		if it.name == name {
			return it.done != nil
		}
	}
	return false
}

// Status returns the status of a finished probe, otherwise unknown.
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
	return l.draw(width, s, wording{w.Probe, w.State, w.ProbeOrder})
}

// Brief is View with short wording, for a column of BriefWidth cells.
func (l List) Brief(width int, s style.Set, w words.Words) string {
	return l.draw(width, s, wording{w.BriefProbe, w.BriefState, w.ProbeOrder})
}

// BriefWidth is the width of the longest line of Brief; a test verifies the texts.
const BriefWidth = 25

// wording returns the names of probes and states, and the order of the probes.
type wording struct {
	probe func(name string) string
	state func(report.Status) string
	order func(a, b string) int
}

// The states of a probe without a result, as named by package words.
const (
	running   report.Status = "running"
	listening report.Status = "listening"
)

func (l List) draw(width int, s style.Set, say wording) string {
	items := slices.Clone(l.items)
	slices.SortStableFunc(items, func(a, b item) int { return say.order(a.name, b.name) })
	longest := 0
	for _, it := range items {
		longest = max(longest, lipgloss.Width(say.probe(it.name)))
	}
	var lines []string
	for _, it := range items {
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
