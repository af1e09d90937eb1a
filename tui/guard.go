package tui

import (
	"errors"
	"log/slog"
	"runtime/debug"

	tea "github.com/charmbracelet/bubbletea"
)

// errInternal represents a panic. The stack is written to the log, never to the screen.
var errInternal = errors.New("internal error")

// guarded calls f and converts a panic to errInternal.
func guarded(log *slog.Logger, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("panic", "value", v, "stack", string(debug.Stack()))
			err = errInternal
		}
	}()
	return f()
}

// safe wraps the model so that a panic does not break the terminal: bubbletea would print
// the stack.
type safe struct {
	model
	log  *slog.Logger
	fail error
}

func (s safe) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	s.fail = guarded(s.log, func() error {
		s.model, cmd = s.update(msg)
		return nil
	})
	if s.fail != nil {
		return s, tea.Quit
	}
	return s, cmd
}

func (s safe) View() (text string) {
	if guarded(s.log, func() error { text = s.model.View(); return nil }) != nil {
		return s.words.T("fatal.internal")
	}
	return text
}
