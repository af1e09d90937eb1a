package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

// checkFunc performs one check.
type checkFunc func(ctx context.Context, c tui.Choices, progress func(probe.Event)) (*report.Report, error)

// deliverFunc stores a report and sends it.
type deliverFunc func(ctx context.Context, r *report.Report) tui.Delivery

// screen guides a person through the check. Nothing else in this package uses package tui's
// screens. enrolNote is shown to a person who is asked for a code; "" for none.
func (p *program) screen(ctx context.Context, st *station.Station, flags *checkFlags, wanted check.Options, enrolNote string, run checkFunc, deliver deliverFunc) (*report.Report, error) {
	out := p.humanOut(flags)
	o := tui.Options{
		Lang:        p.lang,
		Plain:       flags.plain || flags.json == "-" || tui.NeedsPlain(p.in, out.file, p.getenv),
		Color:       tui.WantsColor(p.getenv),
		In:          p.in,
		Out:         out,
		Interactive: p.attended(flags),
		Notice:      p.releaseNotice(st.Release(), time.Now()),
		Agreed:      flags.yes,
		Consent:     tui.Consent{NoAudio: !wanted.Listens(), Recipient: st.Recipient(), Declined: st.Config.NoUpload, Others: true},
		Device:      st.Config.Device,
		Profile:     st.Config.Profile,
		Devices:     microphones,
		Check:       run,
		Deliver:     deliver,
		Explain:     p.screenSentence,
		Phone:       st.SupportPhone,

		SoundSettings: p.openSoundSettings(),
		Log:           wanted.Env.Log,

		OffersSpeaker: true,
		Speaker:       flags.speaker,
	}
	if !o.Plain {
		o.Out = out.file // bubbletea needs the file of a terminal
	}
	if !st.Enrolled() && !st.Config.NoUpload {
		o.Enrol, o.EnrolNote = enrollAsTyped(st, p.version), enrolNote
	}
	p.offerInvitation(&o, st)
	if !st.Config.NoUpload {
		o.Enrolled = st.Enrolled
		o.OwnPage = func(ctx context.Context) (tui.OwnPage, error) {
			own, err := requestOwnPage(ctx, st)
			return tui.OwnPage{Link: own.Link, Address: own.Address, Code: own.Code}, err
		}
		o.InSession = st.InSession
		o.ReportDisturbance = func(ctx context.Context) (time.Time, error) { return reportDisturbance(ctx, st) }
	}
	if kept := wanted.Keep; kept != nil {
		o.PlayBack = func(ctx context.Context) error { return kept.Play(ctx, nil) }
		o.Erase = kept.Erase
	}
	enlargeText()
	defer p.hearRequests(ctx, st, &o)()
	r, err := tui.Run(ctx, o)
	// In plain mode the last question is whether to end, so nothing remains to be read; without
	// questions, the result may still be unread.
	p.closed = err == nil && (!o.Plain || o.Interactive && !o.Agreed) || !o.Plain && errors.Is(err, tui.ErrQuit)
	if errors.Is(err, tui.ErrQuit) && r == nil {
		return nil, &printedError{exitSoftware}
	}
	if failed, ok := errors.AsType[*tui.FailedError](err); ok {
		return r, failed.Err
	}
	return r, err
}

// reportDisturbance reports a disturbance, and converts the errors to those of package tui.
func reportDisturbance(ctx context.Context, st *station.Station) (time.Time, error) {
	at, err := st.ReportDisturbance(ctx)
	switch {
	case errors.Is(err, station.ErrNoSession):
		return at, tui.ErrNoSession
	case errors.Is(err, station.ErrRecordClosed):
		return at, tui.ErrRecordClosed
	case errors.Is(err, station.ErrNotReported):
		return at, fmt.Errorf("%w: %w", tui.ErrNotReported, err)
	}
	return at, err
}

// hearRequests allows phone support to request checks while the screens are open: from now on, or
// after the enrolment. The returned function stops it.
func (p *program) hearRequests(ctx context.Context, st *station.Station, o *tui.Options) (stop func()) {
	if !o.Interactive || st.Config.NoUpload {
		return func() {}
	}
	asked := newRequests(st, o.Log)
	o.Requests = asked.shown
	// The answer to an invitation may change the collector.
	if st.Enrolled() && o.Invitation.Link == "" {
		return asked.follow(ctx, p.version)
	}
	var mu sync.Mutex
	end := func() {}
	enrol := o.Enrol
	o.Enrol = func(ctx context.Context, text, address string) (tui.Enrolled, error) {
		as, err := enrol(ctx, text, address)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			end = asked.follow(context.WithoutCancel(ctx), p.version)
		}
		return as, err
	}
	return func() {
		mu.Lock()
		defer mu.Unlock()
		end()
	}
}

// enrollAsTyped enrols with the input on the first screen.
func enrollAsTyped(s *station.Station, version string) func(context.Context, string, string) (tui.Enrolled, error) {
	return func(ctx context.Context, text, address string) (tui.Enrolled, error) {
		asked, err := enroll.ParseInvitation(text, cmp.Or(s.Config.Server, address))
		switch {
		case errors.Is(err, enroll.ErrNoServer):
			return tui.Enrolled{}, tui.ErrNoAddress
		case errors.Is(err, enroll.ErrLinkForm):
			return tui.Enrolled{}, fmt.Errorf("%w: %w", tui.ErrIncomplete, err)
		case err != nil:
			return tui.Enrolled{}, err
		}
		if err := s.Enroll(ctx, asked, version); err != nil {
			return tui.Enrolled{}, err
		}
		return tui.Enrolled{Recipient: s.Recipient(), Participant: s.Enrolment().Participant}, nil
	}
}

// attended reports whether a person is present, who can answer and listen.
func (p *program) attended(flags *checkFlags) bool {
	return tui.IsTerminal(p.in) && tui.IsTerminal(p.humanOut(flags).file)
}

// sentenceFor returns an error in the person's language, if there is a text for it.
func (p *program) sentenceFor(err error) (text string, known bool) {
	text, _ = p.explainFailure(err)
	return text, text != p.t("error.other", "detail", err)
}

// screenSentence is sentenceFor for the screens of the check. It omits the line with the technical
// reason, which is English and does not help a person who enters a code.
func (p *program) screenSentence(err error) (text string, known bool) {
	if errors.Is(err, enroll.ErrUntrusted) { // the page has no --ca, but takes a link, which contains the fingerprint
		return p.t("collector.untrusted_typed"), true
	}
	text, known = p.sentenceFor(err)
	text, _, _ = strings.Cut(text, "\n"+p.t("error.technical"))
	return text, known
}

// microphones lists the microphones to choose from.
func microphones(ctx context.Context) ([]tui.Microphone, error) {
	devices, err := audio.Devices(ctx, nil)
	if err != nil {
		return nil, err
	}
	list := make([]tui.Microphone, len(devices))
	for i, d := range devices {
		list[i] = tui.Microphone{ID: d.ID, Name: d.Name, IsDefault: d.IsDefault, IsMonitor: d.IsMonitor, IsBluetooth: d.IsBluetooth}
	}
	return list, nil
}
