package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ErrServiceLost means that the service did not accept a report. The report stays in the person's own
// spool until the next check.
var ErrServiceLost = errors.New("the service of this computer does not accept the report")

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Sent, SentNotKept, Waiting, NotEnrolled, Declined, Blocked, Erased, EnrollAgain, Refused, Failed}
}

// handToService gives r to the service. If the service does not accept it, it is kept in the person's
// own spool.
func (d *Delivery) handToService(ctx context.Context, r *report.Report) Outcome {
	st := d.Station
	d.Err, d.KeepErr = nil, nil
	send, cancel := context.WithTimeout(ctx, keepTime+sendTime(time.Duration(r.DurationMS)*time.Millisecond))
	defer cancel()
	said, err := st.service.Take(send, r, st.Config.NoUpload)
	if outcome := Outcome(said); err == nil && slices.Contains(Outcomes(), outcome) {
		return outcome
	}
	d.Err = ErrServiceLost
	if err != nil {
		d.Err = fmt.Errorf("%w: %w", ErrServiceLost, err)
	}
	if _, d.KeepErr = d.keep(ctx, r); d.KeepErr != nil {
		return Failed
	}
	switch {
	case st.Config.NoUpload:
		return Declined
	case !st.Enrolled():
		return NotEnrolled
	}
	return Waiting
}

// handOverRest gives the service the reports that wait in the person's own spool, and
// sends those of an earlier identity of the person.
func (s *Station) handOverRest(ctx context.Context) {
	if !s.own || s.service.Lost() || !hasSpool(s.Config) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	sp, err := OpenSpool(ctx, s.Config, s.log)
	if err == nil {
		err = s.handOver(ctx, sp)
	}
	if err != nil {
		s.log.Info("older reports not sent yet", "err", err)
		return
	}
	if err := s.sendEarlier(ctx, sp); err != nil {
		s.log.Info("reports of the earlier identity not sent yet", "err", err)
	}
}

// handOver gives the waiting reports of this machine to the service, oldest first.
func (s *Station) handOver(ctx context.Context, sp *spool.Spool) error {
	waiting, err := sp.List(spool.Waiting)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		doc, err := sp.Read(e)
		if err != nil {
			continue // the sender sets it aside
		}
		r, err := report.Decode(doc)
		if err != nil || r.Agent.ID != s.id.AgentID {
			continue
		}
		_, err = s.service.Take(ctx, r, false)
		switch {
		case errors.Is(err, local.ErrInvalid):
			err = sp.Quarantine(ctx, e, "refused by the service of this computer")
		case err == nil:
			err = sp.MarkSent(ctx, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sendEarlier sends the reports that were made with an identity of the person's own,
// which no check uses any more.
func (s *Station) sendEarlier(ctx context.Context, sp *spool.Spool) error {
	own, err := Open(s.Config, s.log)
	if err != nil || !own.Enrolled() || own.AgentID() == s.id.AgentID {
		return nil
	}
	_, err = own.uplink(sp).Drain(ctx)
	return err
}
