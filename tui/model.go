package tui

import (
	"cmp"
	"context"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// stage identifies the current page.
type stage int

const (
	welcoming stage = iota
	enrolling
	inviting
	searching
	choosing
	checking
	hearing
	answering
	detailing
	failing
	asked
)

// model is the state of the screen: the current page, and the results so far.
type model struct {
	desk  *desk
	words words.Words
	sheet page.Sheet
	keys  page.Keys
	stage stage

	enrol     page.Enrol
	enrolment bool // enrolment by a typed code is still possible
	invited   page.Invited
	welcome   page.Welcome
	devices   page.Devices
	looking   bool // the list of microphones is being read
	checking  page.Checking
	verdict   page.Verdict
	details   page.Details
	reported  *report.Report // the report behind verdict, as it is sent
	fatal     page.Fatal

	rounds       int    // number of checks started
	running      *check // nil if no check runs
	choices      Choices
	chosen       string // name of the microphone, if known
	stopPlayback func() // ends a playback; nil before the first
	profile      diagnose.Profile
	disturbance  page.Disturbance
	own          *page.Own  // covers the page; nil if it does not
	owns         int        // number of requests for it
	request      *requested // nil if there is none
	requests     int        // number of requests
	err          error      // of the last check
}

func newModel(d *desk, w words.Words, look style.Set, p diagnose.Profile) model {
	m := model{
		desk: d, words: w, keys: page.NewKeys(w),
		sheet:   page.Sheet{Width: 80, Height: 24, Style: look, Words: w},
		welcome: page.Welcome{Consent: d.options.Consent, Notice: d.options.Notice, Loudspeaker: d.options.loudspeaker()},
		choices: Choices{Device: d.options.Device, Speaker: d.options.Speaker},
		chosen:  d.options.Device, profile: p,
	}
	switch o := d.options; {
	case o.invited():
		m.stage, m.enrolment, m.invited = inviting, o.Invitation.Present == "", o.invitation()
	case o.offersEnrolment():
		m.stage, m.enrolment, m.enrol.Problem = enrolling, true, o.EnrolNote
	}
	return m
}

// begin runs before the first key press: the list of microphones is read while the welcome
// page is shown; with --yes the check starts at once.
func (m model) begin() (model, tea.Cmd) {
	next := tea.Cmd(nil)
	if m.desk.options.Requests != nil {
		next = m.desk.nextRequest
	}
	switch {
	case m.desk.options.Agreed:
		m, start := m.startCheck()
		return m, tea.Batch(start, next)
	case m.desk.options.choice():
		m.looking = true
		return m, tea.Batch(m.desk.devices(), next)
	}
	return m, next
}

// Init implements tea.Model; begin does its work.
func (m model) Init() tea.Cmd { return nil }

func (m model) update(msg tea.Msg) (model, tea.Cmd) {
	before := m
	m, cmd := m.act(msg)
	// Another page, or another text on the page with the code, starts at its top.
	if m.stage != before.stage || m.enrol.AsksAddress != before.enrol.AsksAddress || m.enrol.Problem != before.enrol.Problem || m.invited.Problem != before.invited.Problem {
		m.sheet.Scroll = 0
	}
	return m, cmd
}

func (m model) act(msg tea.Msg) (model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return m.resize(msg.Width, msg.Height), nil
	case tea.KeyMsg:
		return m.pressEach(msg)
	case devicesMsg:
		return m.found(msg.all)
	case toneMsg:
		if m.isRunning(msg.number) {
			m.stage = hearing
		}
	case enrolledMsg:
		return m.tried(msg), nil
	case eventMsg:
		if m.isRunning(msg.number) {
			m.checking = m.checking.Take(msg.event, m.desk.options.Now())
			return m, m.running.next
		}
	case tickMsg:
		if m.isRunning(msg.number) {
			m.checking = m.checking.At(m.desk.options.Now())
			return m, tick(msg.number)
		}
	case checkedMsg:
		if m.isRunning(msg.number) {
			return m.finish(msg)
		}
	case deliveredMsg:
		if m.verdict.Report != nil && m.verdict.Report.ID == msg.id {
			m.verdict.Delivery, m.verdict.Phone = msg.state, m.desk.options.phone()
		}
	case requestMsg:
		return m.receive(msg.request)
	case overMsg:
		return m.withdraw(msg.number), nil
	case disturbanceMsg:
		m.disturbance = msg.result
	case ownMsg:
		if m.own != nil && msg.number == m.owns {
			m.own = &msg.page
		}
	case playedMsg:
		return m.played(msg), nil
	case expiredMsg:
		if msg.number == m.rounds {
			return m.forget(), nil
		}
	}
	return m, nil
}

func (m model) isRunning(number int) bool { return m.running != nil && m.running.number == number }

func (m model) resize(width, height int) model {
	m.sheet.Width, m.sheet.Height, m.sheet.Scroll = max(1, width), max(1, height), 0
	if m.stage == detailing {
		m.details = m.details.Resize(m.sheet)
	}
	return m
}

// scroll moves a page that is higher than the screen, within its limits.
func (m model) scroll(msg tea.KeyMsg) model {
	moved := m
	switch msg.Type {
	case tea.KeyUp:
		moved.sheet.Scroll--
	case tea.KeyDown:
		moved.sheet.Scroll++
	case tea.KeyPgUp:
		moved.sheet.Scroll -= max(1, m.sheet.Height/2)
	default:
		moved.sheet.Scroll += max(1, m.sheet.Height/2)
	}
	moved.sheet.Scroll = max(0, moved.sheet.Scroll)
	if moved.View() == m.View() {
		return m
	}
	return moved
}

func (m model) start() (model, tea.Cmd) {
	switch {
	case m.looking:
		m.stage = searching
		return m, nil
	case m.devices.Needed():
		m.stage = choosing
		return m, nil
	}
	return m.startCheck()
}

// found handles the list of microphones, unless the check already runs without it.
func (m model) found(all []Microphone) (model, tea.Cmd) {
	m.looking = false
	if m.stage > choosing {
		return m, nil
	}
	m.devices = page.NewDevices(all)
	if m.chosen == "" {
		m.chosen = nameOfDefault(all)
	}
	if m.stage == searching {
		return m.start()
	}
	return m, nil
}

func (m model) choose(msg tea.KeyMsg) (model, tea.Cmd) {
	switch {
	case key.Matches(msg, m.keys.Confirm):
		c := m.devices.Chosen()
		m.chosen = c.Label(m.words, maxName)
		if !c.IsDefault {
			m.choices.Device = c.Device()
		}
		return m.startCheck()
	case !key.Matches(msg, m.keys.Choose):
	case msg.Type == tea.KeyUp:
		m.devices = m.devices.Move(-1)
	default:
		m.devices = m.devices.Move(+1)
	}
	return m, nil
}

func (m model) startCheck() (model, tea.Cmd) {
	o := m.desk.options
	m = m.forget()
	m.own = nil // a request of phone support may start the check
	choices, noAudio := m.choices, o.Consent.NoAudio
	var tell func(probe.Event)
	if r := m.request; r != nil && r.accepted {
		noAudio, tell = !m.audio(r.Request), r.Tell
		choices.Requested, choices.NoAudio, choices.Speaker = true, noAudio, false
	}
	c, run := m.desk.check(m.rounds, choices, tell)
	m.running, m.err, m.stage = c, nil, checking
	m.checking = page.NewChecking(page.Course{
		NoAudio: noAudio, Speaker: choices.Speaker,
		Round: m.rounds, Profile: m.profile, Chosen: m.chosen, Microphones: m.devices.All(),
	}).At(o.Now())
	m.rounds++
	return m, tea.Batch(run, c.next, c.asked, tick(c.number))
}

// finish shows the result of the check.
func (m model) finish(msg checkedMsg) (model, tea.Cmd) {
	m.running = nil
	switch {
	case msg.err == nil && msg.report != nil:
		m.stage = answering
		shown := cmp.Or(msg.shown, msg.report)
		m.reported = msg.report
		m.verdict = page.Verdict{
			Report: shown, Elsewhere: offered(shown, m.checking.Elsewhere()),
			Phone: m.desk.options.phone(), Settings: m.desk.options.offersSettings(shown),
		}
		m, expiry := m.keep()
		if m.desk.options.Deliver == nil {
			return m.finishRequest(msg.report), expiry
		}
		m.verdict.Delivery = words.DeliverySending
		finish := func(*report.Report) {}
		if m.request != nil && m.request.accepted {
			finish = m.request.Finish
			m.request = nil
		}
		return m, tea.Batch(m.desk.deliver(msg.report, finish), expiry)
	case m.desk.ctx.Err() != nil:
		return m, tea.Quit
	}
	m = m.finishRequest(nil)
	m.err = msg.err
	if m.err == nil {
		m.err = errInternal
	}
	m = m.forget()
	m.verdict = page.Verdict{}
	m.stage, m.fatal = failing, page.Fatal{Reason: m.desk.options.reason(m.err, m.words)}
	return m, nil
}

// quit ends the running check and the program. A delivery in progress may complete; see
// runScreen.
func (m model) quit() (model, tea.Cmd) {
	if m.running != nil {
		m.running.cancel()
		m.running = nil // later messages of it are ignored
	}
	if m.stage == asked {
		m = m.decline()
	}
	return m.finishRequest(nil).forget(), tea.Quit
}

// View implements tea.Model.
func (m model) View() string {
	if m.showsOwn() {
		return m.own.View(m.sheet, m.keys)
	}
	switch m.stage {
	case enrolling:
		return m.enrol.View(m.sheet, m.keys)
	case inviting:
		return m.invited.View(m.sheet, m.keys)
	case searching:
		return page.Searching{}.View(m.sheet, m.keys)
	case choosing:
		return m.devices.View(m.sheet, m.keys)
	case checking:
		return m.checking.View(m.sheet, m.keys)
	case hearing:
		return page.Hearing{}.View(m.sheet, m.keys)
	case answering:
		m.verdict.Disturbance = m.offer()
		return m.verdict.View(m.sheet, m.keys)
	case detailing:
		return m.details.View(m.sheet, m.keys)
	case failing:
		return m.fatal.View(m.sheet, m.keys)
	case asked:
		return m.question().View(m.sheet, m.keys)
	}
	m.welcome.OffersEnrolment, m.welcome.Disturbance, m.welcome.OffersOwn = m.enrolment, m.offer(), m.desk.options.offersOwn()
	return m.welcome.View(m.sheet, m.keys)
}

// outcome returns the result of the program.
func (m model) outcome(ctx context.Context) (*report.Report, error) {
	switch {
	case m.verdict.Report != nil:
		return m.reported, nil
	case m.err != nil:
		return nil, &FailedError{m.err}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, ErrQuit
}
