package channel

import (
	"context"
	"errors"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Retest is a request by phone support for another check.
type Retest struct {
	ID   string
	What wire.RetestWhat
	By   string    // name of the member of staff
	Ends time.Time // when the request becomes invalid, by this computer's clock
	// Agreed means that the participant has permitted such checks in advance, so nobody
	// is asked. It is never set for a check with the microphone.
	Agreed bool
}

// Screen is where a person can be asked: the program that is open, or that of a signed-in person
// behind the service's local socket.
type Screen interface {
	// Ask shows the request until the person answers or ctx is done. The errors include
	// ErrBusy and ErrNoPerson.
	Ask(ctx context.Context, r Retest) (Consent, error)
}

// Consent is a person's answer.
type Consent struct {
	Given bool
	// Always means that checks without the microphone need no consent from now on.
	Always bool
	// Run performs the check in the person's program, delivers the report and returns its id. It is
	// required for a check with the microphone. Its errors include ErrEnded.
	Run Runner
}

// Runner performs a check, passes on its events, and returns the id of the report.
type Runner func(ctx context.Context, tell func(probe.Event)) (reportID string, err error)

// Errors of Screen and Runner.
var (
	ErrNoPerson = errors.New("nobody can be asked")
	ErrBusy     = errors.New("another check is running")
	// ErrEnded means that the person has ended the check or the program.
	ErrEnded = errors.New("ended by the person")
)
