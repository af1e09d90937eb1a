package station

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// keepTime allows for a slow disk. The report is stored even if the person has already
	// left.
	keepTime = 5 * time.Second
	// A check and the single attempt to send its report are to end within programTime. After
	// a long check the attempt still gets minSendTime, and after a short one at most
	// maxSendTime; on a good line it takes less than a second. A report that has not been
	// sent by then waits for the background service or the next check.
	programTime = 14 * time.Second
	minSendTime = 2500 * time.Millisecond
	maxSendTime = 8 * time.Second
	// restTime limits sending the other waiting reports afterwards.
	restTime = 3 * time.Second
)

// Outcome states what happened to a report.
type Outcome string

// Outcomes of Deliver.
const (
	Sent        Outcome = "sent"          // the collector has stored it
	SentNotKept Outcome = "sent_not_kept" // the collector has stored it; this disk has no room for it
	Waiting     Outcome = "waiting"       // in the spool, to be sent later
	NotEnrolled Outcome = "not_enrolled"  // kept here; there is no collector
	Declined    Outcome = "declined"      // kept here, not sent because the participant declined
	Blocked     Outcome = "blocked"       // the collector has blocked the participant
	Erased      Outcome = "erased"        // the collector has erased everything about the participant
	EnrollAgain Outcome = "enroll_again"  // the collector no longer knows this computer
	Refused     Outcome = "refused"       // the collector does not accept this report
	Failed      Outcome = "failed"        // neither sent nor kept
)

// Delivery stores and sends the reports of a check, and keeps the last errors, which are printed
// after the screen has closed.
type Delivery struct {
	Station *Station
	// Err is the reason why the report was not sent, KeepErr why it was not stored.
	Err, KeepErr error
	// rest is the uplink that sent the report; nil if the collector did not accept it. SendRest
	// uses its connection: on a slow line a new one would use up restTime.
	rest *uplink.Uplink
}

// Deliver stores the report, then attempts to send it once.
func (d *Delivery) Deliver(ctx context.Context, r *report.Report) Outcome {
	st := d.Station
	if st.service != nil {
		return d.handToService(ctx, r)
	}
	sp, keepErr := d.keep(ctx, r)
	d.Err, d.KeepErr, d.rest = nil, keepErr, nil
	switch {
	case st.Config.NoUpload && keepErr == nil:
		return Declined
	case !st.Enrolled() && keepErr == nil:
		return NotEnrolled
	case st.Config.NoUpload || !st.Enrolled():
		return Failed
	}
	send, cancel := context.WithTimeout(ctx, sendTime(time.Duration(r.DurationMS)*time.Millisecond))
	defer cancel()
	if keepErr != nil {
		d.Err = st.sendUnstored(send, r)
		return statusUnstored(d.Err)
	}
	up := st.uplink(sp)
	if d.Err = up.Deliver(send, r.ID); d.Err == nil {
		d.rest = up
	}
	return statusStored(d.Err)
}

// sendTime returns the time for the attempt after a check of the given length.
func sendTime(check time.Duration) time.Duration {
	return min(max(programTime-check, minSendTime), maxSendTime)
}

func (d *Delivery) keep(ctx context.Context, r *report.Report) (*spool.Spool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	sp, err := OpenSpool(ctx, d.Station.Config, d.Station.log)
	if err != nil {
		return nil, err
	}
	return sp, d.Station.keep(ctx, sp, r)
}

// sendUnstored sends a report that could not be stored because the disk is full or read-only.
func (s *Station) sendUnstored(ctx context.Context, r *report.Report) error {
	doc, err := r.Encode()
	if err != nil {
		return err
	}
	return s.uplink(nil).Send(ctx, r.ID, doc)
}

// keepOrSend stores a report of the service, and returns the spool that has it. A report that cannot be
// stored is sent at once, which may take as long as within; the spool is then nil. After an error the
// report is neither stored nor sent.
func (s *Station) keepOrSend(ctx context.Context, r *report.Report, within time.Duration) (*spool.Spool, error) {
	sp, err := OpenSpool(ctx, s.Config, s.log)
	if err == nil {
		err = s.keep(ctx, sp, r)
	}
	if err == nil {
		return sp, nil
	}
	if s.Config.NoUpload || !s.Enrolled() {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if unsent := s.sendUnstored(ctx, r); unsent != nil {
		return nil, errors.Join(err, unsent)
	}
	s.log.Warn("a report was sent, but not stored", "case", r.Case, "err", err)
	return nil, nil
}

func statusStored(err error) Outcome {
	switch {
	case err == nil:
		return Sent
	case errors.Is(err, uplink.ErrBlocked):
		return Blocked
	case errors.Is(err, uplink.ErrErased):
		return Erased
	case errors.Is(err, uplink.ErrEnrolAgain):
		return EnrollAgain
	case errors.Is(err, uplink.ErrRefused):
		return Refused
	}
	return Waiting
}

func statusUnstored(err error) Outcome {
	switch status := statusStored(err); status {
	case Sent:
		return SentNotKept
	case Blocked, Erased, EnrollAgain:
		return status
	}
	return Failed
}

// SendRest sends the reports that waited before this check.
func (d *Delivery) SendRest(ctx context.Context) {
	if d.Station.service != nil {
		d.Station.handOverRest(ctx)
		return
	}
	if d.rest == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	if _, err := d.rest.Drain(ctx); err != nil {
		d.Station.log.Info("older reports not sent yet", "err", err)
	}
	if d.Station.keepToken {
		return
	}
	// For computers without the service.
	if err := d.Station.renewToken(ctx, d.Station.renewalAsked.Load(), time.Now(), rand.Float64); err != nil {
		d.Station.log.Info("the token was not replaced", "err", err)
	}
}
