// Package tui presents the check to a person, on screens in a terminal or line by line. It
// measures nothing and sends nothing itself.
package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/quietstart"
	"github.com/tonprobe/tonprobe/tui/words"
)

var _ = quietstart.End()

// Microphone is a capture device to choose from.
type Microphone = page.Microphone

// Consent describes what will be measured and sent.
type Consent = page.Consent

// Delivery is what happened to a report.
type Delivery = words.Delivery

// States of a delivery.
const (
	DeliverySent        = words.DeliverySent
	DeliveryWaiting     = words.DeliveryWaiting
	DeliveryNotEnrolled = words.DeliveryNotEnrolled
	DeliveryDeclined    = words.DeliveryDeclined
	DeliveryFailed      = words.DeliveryFailed
	DeliverySentNotKept = words.DeliverySentNotKept
	DeliveryBlocked     = words.DeliveryBlocked
	DeliveryErased      = words.DeliveryErased
	DeliveryEnrolAgain  = words.DeliveryEnrolAgain
	DeliveryRefused     = words.DeliveryRefused
)

// Options configures a check and its presentation.
type Options struct {
	Lang phrase.Lang
	// Plain prints line by line; see [NeedsPlain].
	Plain bool
	// Color is false with NO_COLOR.
	Color bool
	In    io.Reader
	Out   io.Writer
	// Interactive means that a person at In can answer. Otherwise a plain check starts
	// without questions: the command itself was the request.
	Interactive bool
	// Agreed starts without any question (--yes).
	Agreed bool
	// Consent is the text about measuring and sending.
	Consent Consent
	// Notice is a line to show before the first check, such as that a new version exists;
	// "" for none.
	Notice string
	// Device is the microphone requested by name; then there is no choice.
	Device string
	// Profile contains the limits for marks during the check; "" means
	// diagnose.DefaultProfile. It must be the one that Check uses.
	Profile string
	// OffersSpeaker means that Check can test the loudspeaker, Speaker that this was
	// requested (--speaker). No tone is played without a request.
	OffersSpeaker, Speaker bool
	// Devices lists the capture devices; nil if there is no choice.
	Devices func(ctx context.Context) ([]Microphone, error)
	// Check performs one check. It returns soon after ctx is done; the next one starts
	// only after that.
	Check func(ctx context.Context, c Choices, progress func(probe.Event)) (*report.Report, error)
	// Deliver stores the report and sends it. It must store it first: ctx ends if the
	// person quits and sending takes long. If nil, nothing is shown.
	Deliver func(ctx context.Context, r *report.Report) Delivery
	// Enrol enrols this computer for the participant of the code or link; address is ""
	// until it was requested ([ErrNoAddress]). Afterwards Check and Deliver use the
	// enrolment. It is nil if the computer is enrolled, or need not be.
	Enrol func(ctx context.Context, text, address string) (Enrolled, error)
	// EnrolNote is shown where Enrol asks for a code, such as why the code of an installation was
	// not used; "" for none.
	EnrolNote string
	// Invitation is the link that opened the program; its zero value is none.
	Invitation Invitation
	// PlayBack plays the last seconds of the recording until ctx is done; nil if that is
	// not offered.
	PlayBack func(ctx context.Context) error
	// Erase discards those seconds: after two minutes, before another check and at the
	// end. It may be called repeatedly; nil if nothing is kept.
	Erase func()
	// Phone returns the phone number of support, if known after a check; it may be nil.
	Phone func() string
	// SoundSettings opens the system's sound settings; nil if that is not possible.
	SoundSettings func(ctx context.Context) error
	// Explain returns an error in the person's language; known is false if there is no
	// text for it. It may be nil.
	Explain func(err error) (text string, known bool)
	// ReportDisturbance reports a disturbance in the session in progress, and returns when it was
	// reported first; nil if that is not offered. Its errors include ErrNoSession,
	// ErrRecordClosed and ErrNotReported.
	ReportDisturbance func(ctx context.Context) (time.Time, error)
	// InSession reports whether a session is in progress. Otherwise no report is offered.
	InSession func(now time.Time) bool
	// OwnPage requests a code for the page that shows what the collector has stored about the participant; nil if
	// that is not offered. Enrolled reports whether there is a participant; nil means that there is.
	OwnPage  func(ctx context.Context) (OwnPage, error)
	Enrolled func() bool
	// Requests are phone support's requests for another check; nil if it cannot request any.
	Requests <-chan Request
	// Glossary contains the probes that can be shown; the default is those of this
	// version.
	Glossary diagnose.Glossary

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means none
}

// Choices are the person's choices for a check.
type Choices struct {
	Device  string // name or ID of the microphone; "" is the default
	Speaker bool   // play a tone and listen for it
	// ToneHeard waits for the person's answer to whether they heard the tone; the result
	// is nil without an answer. It is nil if there is nobody to ask.
	ToneHeard func(ctx context.Context) *bool
	// Requested is set if phone support has requested the check, and NoAudio if that check does
	// not use the microphone.
	Requested, NoAudio bool
}

// ErrQuit means that the person ended the program before there was a result.
var ErrQuit = errors.New("ended before there was a result")

// FailedError is the error of a check that failed. The person has been informed.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return fmt.Sprintf("the check could not be made: %v", e.Err) }
func (e *FailedError) Unwrap() error { return e.Err }

// Run guides a person through the check and returns the last report. The errors are
// [ErrQuit], [*FailedError], the error of ctx, and that of an unusable terminal.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	w, err := words.With(o.Lang, o.Glossary)
	if err != nil {
		return nil, err
	}
	profile, err := diagnose.LoadProfile(cmp.Or(o.Profile, diagnose.DefaultProfile))
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	defer o.erase()
	if o.Plain {
		return runPlain(ctx, o, w, profile)
	}
	return runScreen(ctx, o, w, profile)
}

func (o Options) withDefaults() Options {
	if o.Consent.NoAudio {
		o.OffersSpeaker, o.PlayBack, o.SoundSettings = false, nil, nil
	}
	o.Speaker = o.Speaker && o.OffersSpeaker
	o.Consent.Replay = o.PlayBack != nil
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// searchPatience limits the wait for the list of microphones.
const searchPatience = 5 * time.Second

// microphones lists the capture devices. It returns none on failure: the check itself will
// report the reason.
func (o Options) microphones(ctx context.Context) (all []Microphone) {
	ctx, cancel := context.WithTimeout(ctx, searchPatience)
	defer cancel()
	err := guarded(o.Log, func() (err error) {
		all, err = o.Devices(ctx)
		return err
	})
	if err != nil {
		o.Log.Warn("list microphones", "err", err)
		return nil
	}
	return all
}

// choice reports whether there may be a choice of microphones.
func (o Options) choice() bool {
	return o.Devices != nil && !o.Consent.NoAudio && o.Device == "" && !o.Agreed
}

// loudspeaker returns the initial state of the loudspeaker test.
func (o Options) loudspeaker() page.Loudspeaker {
	return page.Loudspeaker{Offered: o.OffersSpeaker, On: o.Speaker}
}

// openSettings opens the sound settings. Failures are logged only, since the action also
// describes where to find them.
func (o Options) openSettings(ctx context.Context) {
	if err := guarded(o.Log, func() error { return o.SoundSettings(ctx) }); err != nil {
		o.Log.Warn("open the sound settings", "err", err)
	}
}

// offersSettings reports whether the settings may help. Without a fault the offer would
// invite people to change settings that work.
func (o Options) offersSettings(r *report.Report) bool {
	return o.SoundSettings != nil && r != nil && r.Verdict != report.Ready
}

// phone returns the phone number to show with a result.
func (o Options) phone() string {
	if o.Phone == nil {
		return ""
	}
	return words.Clean(o.Phone(), 40)
}

// reason returns the line that states why there is no result. An error without a text of
// its own is called a technical problem.
func (o Options) reason(err error, w words.Words) string {
	if errors.Is(err, errInternal) {
		return w.T("fatal.reason", "text", w.T("fatal.internal"))
	}
	if o.Explain != nil {
		if text, known := o.Explain(err); known {
			return w.T("fatal.reason", "text", words.Clean(text, maxReason))
		}
	}
	return w.T("fatal.technical", "text", words.Clean(err.Error(), maxReason))
}

// maxReason is the maximum length of a reason in cells.
const maxReason = 300
