package tui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
)

// keepFor is how long the last seconds of the recording stay in memory.
const keepFor = 2 * time.Minute

// Messages of the playback. The number identifies the check.
type (
	playedMsg struct {
		number int
		err    error
	}
	expiredMsg struct{ number int }
)

// replays reports whether there is a recording of r to play.
func (o Options) replays(r *report.Report) bool {
	in := report.Find[report.AudioInput](r)
	return o.PlayBack != nil && in != nil && in.CapturedMS != nil && *in.CapturedMS > 0 && (in.AllZero == nil || !*in.AllZero)
}

// erase discards the kept recording; it may be called at any time and repeatedly.
func (o Options) erase() {
	if o.Erase == nil {
		return
	}
	_ = guarded(o.Log, func() error { o.Erase(); return nil }) // a panic is logged
}

// keep offers the playback of the last check for a limited time.
func (m model) keep() (model, tea.Cmd) {
	if !m.desk.options.replays(m.verdict.Report) {
		m.desk.options.erase()
		return m, nil
	}
	m.verdict.Replay = page.ReplayKept
	number := m.rounds
	return m, tea.Tick(keepFor, func(time.Time) tea.Msg { return expiredMsg{number} })
}

// listen plays the kept seconds.
func (m model) listen() (model, tea.Cmd) {
	ctx, stop := context.WithCancel(m.desk.ctx)
	m.verdict.Replay, m.stopPlayback = page.ReplayPlaying, stop
	number := m.rounds
	return m, m.desk.work(func() tea.Msg {
		defer stop()
		err := guarded(m.desk.options.Log, func() error { return m.desk.options.PlayBack(ctx) })
		return playedMsg{number, err}
	})
}

// played handles the end of a playback; what was erased meanwhile stays erased.
func (m model) played(msg playedMsg) model {
	if msg.number != m.rounds || m.verdict.Replay != page.ReplayPlaying {
		return m
	}
	m.verdict.Replay = page.ReplayKept
	if msg.err != nil && !errors.Is(msg.err, context.Canceled) {
		m.desk.options.Log.Warn("play back", "err", msg.err)
		m.verdict.Replay = page.ReplayFailed
	}
	return m
}

// forget ends a playback and erases the recording.
func (m model) forget() model {
	if m.stopPlayback != nil {
		m.stopPlayback()
		m.stopPlayback = nil
	}
	m.desk.options.erase()
	if m.verdict.Replay != "" {
		m.verdict.Replay = page.ReplayErased
	}
	return m
}
