package tui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Request is phone support's request for another check.
type Request struct {
	By    string // name of the member of staff
	Audio bool   // with the microphone
	// Agreed means that the participant has permanently allowed such checks: the check starts
	// without a question.
	Agreed bool
	// Over is closed when the request is withdrawn, even during its check, or has expired.
	Over <-chan struct{}
	// Answer receives the answer, once. It must not block.
	Answer func(Answer)
	// Tell receives the events of the check. It must not block, and may be called concurrently.
	Tell func(probe.Event)
	// Finish is called once after a positive answer: with the report after its delivery, or with
	// nil if there is none. It must not block.
	Finish func(r *report.Report)
}

// Answer is the answer to a Request.
type Answer string

// Values of Answer.
const (
	AnswerYes    Answer = "yes"
	AnswerAlways Answer = "always" // yes, and do not ask again for a check without the microphone
	AnswerNo     Answer = "no"
	AnswerBusy   Answer = "busy" // a check is running, or the person is entering a code
)

// requested is the request that is shown or whose check is running.
type requested struct {
	Request
	number   int
	accepted bool
	back     stage     // page before the request
	quiet    time.Time // when the request appeared, or the last answer that did not count
}

// considerTime is the time for which answers are ignored after a request has appeared, because
// the request replaces the page on which the person may be typing.
const considerTime = time.Second

// Messages of requests.
type (
	requestMsg struct{ request Request }
	overMsg    struct{ number int }
)

// nextRequest waits for a request.
func (d *desk) nextRequest() tea.Msg {
	select {
	case r := <-d.options.Requests: // nil blocks
		return requestMsg{r}
	case <-d.ctx.Done():
		return nil
	}
}

func (d *desk) overOf(r Request, number int) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-r.Over:
			return overMsg{number}
		case <-d.ctx.Done():
			return nil
		}
	}
}

// audio reports whether the check of a request uses the microphone.
func (m model) audio(r Request) bool { return r.Audio && !m.desk.options.Consent.NoAudio }

// receive shows a request, unless the person is occupied.
func (m model) receive(r Request) (model, tea.Cmd) {
	next := m.desk.nextRequest
	if m.request != nil {
		select {
		case <-m.request.Over: // overMsg is on its way
			m = m.withdraw(m.request.number)
		default:
		}
	}
	switch m.stage {
	case welcoming, choosing, answering, detailing, failing:
	default:
		r.Answer(AnswerBusy)
		return m, next
	}
	m.requests++
	m.request = &requested{Request: r, number: m.requests, back: m.stage, quiet: m.desk.options.Now()}
	over := m.desk.overOf(r, m.requests)
	if r.Agreed {
		m, start := m.accept(AnswerYes)
		return m, tea.Batch(start, over, next)
	}
	m.stage = asked
	return m, tea.Batch(over, next)
}

// considered reports whether an answer counts. Each answer that does not count restarts
// considerTime, so that holding a key down never answers.
func (m model) considered() (model, bool) {
	now := m.desk.options.Now()
	if now.Sub(m.request.quiet) >= considerTime {
		return m, true
	}
	r := *m.request
	r.quiet = now
	m.request = &r
	return m, false
}

func (m model) accept(a Answer) (model, tea.Cmd) {
	r := *m.request
	r.accepted = true
	m.request = &r
	r.Answer(a)
	return m.startCheck()
}

// decline returns to the page before the request.
func (m model) decline() model {
	m.request.Answer(AnswerNo)
	m.stage, m.request = m.request.back, nil
	return m
}

// withdraw ends a request that is over, and its check.
func (m model) withdraw(number int) model {
	if m.request == nil || m.request.number != number {
		return m
	}
	back, running := m.request.back, m.request.accepted
	m.request = nil
	if !running {
		m.stage = back
		return m
	}
	if m.running == nil {
		return m
	}
	m.running.cancel()
	m.running = nil // later messages of it are ignored
	m = m.forget()
	m.stage = welcoming
	if m.verdict.Report != nil {
		m.stage, m.verdict.Withdrawn = answering, true
	}
	return m
}

// finishRequest ends a request whose check has ended.
func (m model) finishRequest(r *report.Report) model {
	if m.request != nil && m.request.accepted {
		m.request.Finish(r)
		m.request = nil
	}
	return m
}

// question returns the page of the request.
func (m model) question() page.Request {
	r := m.request
	return page.Request{By: words.Clean(r.By, maxName), Audio: m.audio(r.Request), Others: m.desk.options.Consent.Others}
}
