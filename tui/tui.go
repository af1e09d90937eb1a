// Package tui is the check as a person sees it: screens in a terminal, or the
// same line by line. It measures nothing and sends nothing itself.
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

// Consent is what a person is told before anything is measured.
type Consent = page.Consent

// Delivery says what became of a report.
type Delivery = words.Delivery

// What can become of a report.
const (
	DeliverySent        = words.DeliverySent
	DeliveryWaiting     = words.DeliveryWaiting
	DeliveryNotEnrolled = words.DeliveryNotEnrolled
	DeliveryDeclined    = words.DeliveryDeclined
	DeliveryFailed      = words.DeliveryFailed
	DeliverySentNotKept = words.DeliverySentNotKept
	DeliveryBlocked     = words.DeliveryBlocked
	DeliveryEnrolAgain  = words.DeliveryEnrolAgain
	DeliveryRefused     = words.DeliveryRefused
)

// Options is a check and the person before it.
type Options struct {
	Lang phrase.Lang
	// Plain says everything line by line; see [NeedsPlain].
	Plain bool
	// Color is false with NO_COLOR.
	Color bool
	In    io.Reader
	Out   io.Writer
	// Interactive says that a person at In can answer. Without one a plain check
	// begins without questions: the command itself was the request.
	Interactive bool
	// Agreed begins without any question (--yes).
	Agreed bool
	// Consent is what is said about measuring and sending.
	Consent Consent
	// Device is the microphone asked for by name; then there is no choice to make.
	Device string
	// Profile names the limits by which marks are set while the check runs; ""
	// means diagnose.DefaultProfile. It is to be the one Check judges by.
	Profile string
	// OffersSpeaker says that Check can test the loudspeaker, and Speaker that
	// this was asked for (--speaker). It never sounds without being asked for.
	OffersSpeaker, Speaker bool
	// Devices lists the capture devices; nil when there is nothing to choose.
	Devices func(ctx context.Context) ([]Microphone, error)
	// Check makes one check. It returns soon after ctx is done; no second one
	// begins before that.
	Check func(ctx context.Context, c Choices, progress func(probe.Event)) (*report.Report, error)
	// Deliver keeps the report and sends it. It must keep it before it sends:
	// ctx ends when the person has quit and it still takes long. Nil: nothing is said.
	Deliver func(ctx context.Context, r *report.Report) Delivery
	// Enrol makes this computer one of the person's whom the typed code or link was
	// made out for; address is "" until it was asked for ([ErrNoAddress]). From then
	// on Check and Deliver use the enrolment. Nil: it is enrolled, or need not be.
	Enrol func(ctx context.Context, text, address string) (Enrolled, error)
	// PlayBack lets the person hear the last seconds of the check, until ctx is
	// done; nil: that is not offered.
	PlayBack func(ctx context.Context) error
	// Erase forgets those seconds: after two minutes, before another check and
	// in the end. It may be called more than once; nil: nothing is kept.
	Erase func()
	// Phone is the number of phone support, as far as it is known after a check; ""
	// or nil: none is.
	Phone func() string
	// SoundSettings opens the system's sound settings; nil where there is no way.
	SoundSettings func(ctx context.Context) error
	// Explain is an error in the person's language; known is false for one that
	// has no sentence of its own. Nil: none has.
	Explain func(err error) (text string, known bool)

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means none
}

// Choices are what the person chose for a check.
type Choices struct {
	Device  string // name or ID of the microphone; "" is the default one
	Speaker bool   // play a tone and listen for it
	// ToneHeard waits for the person's word on whether they heard that tone; nil is
	// no answer. It is nil itself where there is nobody to ask.
	ToneHeard func(ctx context.Context) *bool
}

// ErrQuit says that the person ended the program before there was a result.
var ErrQuit = errors.New("ended before there was a result")

// FailedError is a check that could not be made. The person has been told.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return fmt.Sprintf("the check could not be made: %v", e.Err) }
func (e *FailedError) Unwrap() error { return e.Err }

// Run leads a person through the check and returns the last report. The errors
// are [ErrQuit], [*FailedError], ctx's error, and that of a terminal that
// cannot be used.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	w, err := words.In(o.Lang)
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

// searchPatience is how long a person waits for the list of microphones.
const searchPatience = 5 * time.Second

// microphones lists the capture devices; none when that fails, for then the
// check itself will say why.
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

// choice says whether there may be a microphone to choose.
func (o Options) choice() bool {
	return o.Devices != nil && !o.Consent.NoAudio && o.Device == "" && !o.Agreed
}

// loudspeaker is the test as it stands before anybody has chosen.
func (o Options) loudspeaker() page.Loudspeaker {
	return page.Loudspeaker{Offered: o.OffersSpeaker, On: o.Speaker}
}

// openSettings opens the sound settings; what goes wrong is for the log, since the
// action says in words where to look.
func (o Options) openSettings(ctx context.Context) {
	if err := guarded(o.Log, func() error { return o.SoundSettings(ctx) }); err != nil {
		o.Log.Warn("open the sound settings", "err", err)
	}
}

// offersSettings says whether the settings may help: where nothing is wrong they only
// invite to change what works.
func (o Options) offersSettings(r *report.Report) bool {
	return o.SoundSettings != nil && r != nil && r.Verdict != report.Ready
}

// phone is the number to show with a result.
func (o Options) phone() string {
	if o.Phone == nil {
		return ""
	}
	return words.Clean(o.Phone(), 40)
}

// reason is the line that says why there is no result: an error as a person may read it. Whatever has no sentence of its
// own is a technical matter, and is called one.
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

// maxReason is the longest reason shown, in cells.
const maxReason = 300
