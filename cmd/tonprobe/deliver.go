package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

// shown maps outcomes to the states of the screen.
var shown = map[station.Outcome]tui.Delivery{
	station.Sent:        tui.DeliverySent,
	station.SentNotKept: tui.DeliverySentNotKept,
	station.Waiting:     tui.DeliveryWaiting,
	station.NotEnrolled: tui.DeliveryNotEnrolled,
	station.Declined:    tui.DeliveryDeclined,
	station.Blocked:     tui.DeliveryBlocked,
	station.Erased:      tui.DeliveryErased,
	station.EnrollAgain: tui.DeliveryEnrolAgain,
	station.Refused:     tui.DeliveryRefused,
	station.Failed:      tui.DeliveryFailed,
}

// deliverFor returns the screen's function to deliver a report with d.
func deliverFor(d *station.Delivery) deliverFunc {
	return func(ctx context.Context, r *report.Report) tui.Delivery {
		outcome := d.Deliver(ctx, r)
		if outcome == station.Sent {
			// Without an answer, the sessions known so far remain.
			_ = d.Station.RefreshSessions(ctx, time.Now())
		}
		return shown[outcome]
	}
}

// warnConnection explains why an identity is used that the person may not expect.
func (p *program) warnConnection(how station.Connection) {
	switch how {
	case station.Merged, station.DuplicateEnrolment, station.NotMerged, station.NotAdmitted:
		p.warn("service.connection_" + string(how))
	}
}

// printDelivery prints why a report was not stored or delivered, unless the screen has
// already shown it.
func (p *program) printDelivery(d *station.Delivery) {
	if d.KeepErr != nil {
		text, _ := p.explainFailure(d.KeepErr)
		fmt.Fprintln(p.err, text)
	}
	if d.Err == nil {
		return
	}
	if errors.Is(d.Err, station.ErrServiceLost) {
		if d.KeepErr == nil {
			p.warn("service.lost")
		}
		return
	}
	for _, said := range []error{
		uplink.ErrBlocked, uplink.ErrErased, uplink.ErrEnrolAgain, uplink.ErrRefused, uplink.ErrNotReached,
		context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(d.Err, said) {
			return
		}
	}
	if _, ok := errors.AsType[*collector.ClockError](d.Err); ok {
		p.warn("upload.clock") // the check has already described the problem and the action
		return
	}
	// Most errors of the line or the collector have no text of their own: it is sufficient
	// that the report waits.
	text, known := p.sentenceFor(d.Err)
	if !known {
		return
	}
	fmt.Fprintln(p.err, text)
}
