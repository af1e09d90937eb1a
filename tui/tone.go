package tui

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// tonePatience is how long the program waits for the answer about the tone, so that a person
// who has left does not delay the report.
const tonePatience = 45 * time.Second

// toneMsg asks the person whether they heard the tone.
type toneMsg struct{ number int }

// toneQuestion passes the question from the check to the screen, and the answer back.
type toneQuestion struct {
	asks    chan struct{}
	answers chan *bool
}

func newToneQuestion() toneQuestion { return toneQuestion{make(chan struct{}), make(chan *bool, 1)} }

// heard waits for the answer; nil means none.
func (t toneQuestion) heard(ctx context.Context) *bool {
	ctx, cancel := context.WithTimeout(ctx, tonePatience)
	defer cancel()
	select {
	case t.asks <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	select {
	case answer := <-t.answers:
		return answer
	case <-ctx.Done():
		return nil
	}
}

// asked waits for the question.
func (c *check) asked() tea.Msg {
	select {
	case <-c.tone.asks:
		return toneMsg{c.number}
	case <-c.over:
		return nil
	}
}

func (m model) pressHearing(msg tea.KeyMsg) model {
	yes := key.Matches(msg, m.keys.Yes)
	if m.running == nil || !yes && !key.Matches(msg, m.keys.No) {
		return m
	}
	select {
	case m.running.tone.answers <- &yes:
	default: // answered already
	}
	m.stage = checking
	return m
}
