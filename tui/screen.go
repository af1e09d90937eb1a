package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Time limits for quitting: for a delivery in progress, and then for tasks that were told to
// stop. stopPatience exceeds probe.Grace.
const (
	deliveryPatience = 3 * time.Second
	stopPatience     = 2 * time.Second
)

// runScreen shows the pages until the person quits.
func runScreen(ctx context.Context, o Options, w words.Words, p diagnose.Profile) (*report.Report, error) {
	work, stop := context.WithCancel(ctx)
	defer stop()
	d := newDesk(work, o)
	look := style.New(termenv.NewOutput(o.Out).Profile, o.Color)

	m, first := newModel(d, w, look, p).begin()
	program := tea.NewProgram(starting{safe{model: m, log: o.Log}, first},
		tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithAltScreen())
	last, err := program.Run()

	if !d.close(deliveryPatience) {
		stop()
		d.close(stopPatience)
	}
	end := endOf(last)
	switch {
	case end.fail != nil:
		fmt.Fprintln(o.Out, w.T("fatal.internal"))
		return nil, &FailedError{end.fail}
	case err != nil && ctx.Err() == nil && !errors.Is(err, tea.ErrInterrupted):
		return nil, fmt.Errorf("show the screens: %w", err)
	}
	printResult(o.Out, end.model)
	return end.outcome(ctx)
}

// starting wraps safe with a first command, so that begin may change the model before the
// program runs.
type starting struct {
	safe
	first tea.Cmd
}

func (s starting) Init() tea.Cmd { return s.first }

// endOf returns the last state; a program that ended at once still has starting.
func endOf(last tea.Model) safe {
	if s, ok := last.(starting); ok {
		return s.safe
	}
	s, _ := last.(safe)
	return s
}

// printResult prints the result after the screens are gone, so that the case code remains
// readable.
func printResult(out io.Writer, m model) {
	switch {
	case m.err != nil:
		fmt.Fprintln(out, m.words.T("fatal.title"), m.fatal.Reason)
	case m.verdict.Report != nil:
		for _, line := range m.words.Brief(m.verdict.Report, m.verdict.Delivery) {
			fmt.Fprintln(out, line)
		}
		if m.verdict.Phone != "" {
			fmt.Fprintln(out, m.words.T("verdict.phone", "number", m.verdict.Phone))
		}
	}
}
