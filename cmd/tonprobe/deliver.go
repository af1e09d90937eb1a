package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

const (
	// keepTime allows for a slow disk. The report is stored even if the person has already
	// left.
	keepTime = 5 * time.Second
	// A check and the single attempt to send its report end within programTime. The attempt
	// may take at least leastSendTime and at most mostSendTime; on a good line it takes less
	// than a second. What has not been sent by then waits for the background service or the
	// next check.
	programTime   = 14 * time.Second
	leastSendTime = 2500 * time.Millisecond
	mostSendTime  = 8 * time.Second
	// restTime limits sending the other waiting reports afterwards.
	restTime = 3 * time.Second
)

// delivery sends reports to the collector and keeps the last error, which is printed after
// the screen has closed.
type delivery struct {
	station *station
	// err is the reason why the report was not sent, keepErr why it was not stored.
	err, keepErr error
	// rest is the spool, if the collector has just answered.
	rest *spool.Spool
}

// deliver stores the report, then attempts to send it once.
func (d *delivery) deliver(ctx context.Context, r *report.Report) tui.Delivery {
	st := d.station
	sp, keepErr := d.keep(ctx, r)
	d.err, d.keepErr, d.rest = nil, keepErr, nil
	switch {
	case st.config.NoUpload && keepErr == nil:
		return tui.DeliveryDeclined
	case !st.enrolled() && keepErr == nil:
		return tui.DeliveryNotEnrolled
	case st.config.NoUpload || !st.enrolled():
		return tui.DeliveryFailed
	}
	send, cancel := context.WithTimeout(ctx, sendTime(time.Duration(r.DurationMS)*time.Millisecond))
	defer cancel()
	if keepErr != nil {
		d.err = d.sendUnkept(send, r)
		return statusUnkept(d.err)
	}
	if d.err = st.uplink(sp).Deliver(send, r.ID); d.err == nil {
		d.rest = sp
	}
	return statusKept(d.err)
}

// sendTime returns the time for the attempt after a check of the given length.
func sendTime(check time.Duration) time.Duration {
	return min(max(programTime-check, leastSendTime), mostSendTime)
}

func (d *delivery) keep(ctx context.Context, r *report.Report) (*spool.Spool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	sp, err := openSpool(ctx, d.station.config, d.station.log)
	if err != nil {
		return nil, err
	}
	return sp, d.station.keep(ctx, sp, r)
}

// sendUnkept sends a report that could not be stored because the disk is full or read-only.
func (d *delivery) sendUnkept(ctx context.Context, r *report.Report) error {
	doc, err := r.Encode()
	if err != nil {
		return err
	}
	return d.station.uplink(nil).Send(ctx, r.ID, doc)
}

func statusKept(err error) tui.Delivery {
	switch {
	case err == nil:
		return tui.DeliverySent
	case errors.Is(err, uplink.ErrBlocked):
		return tui.DeliveryBlocked
	case errors.Is(err, uplink.ErrEnrolAgain):
		return tui.DeliveryEnrolAgain
	case errors.Is(err, uplink.ErrRefused):
		return tui.DeliveryRefused
	}
	return tui.DeliveryWaiting
}

func statusUnkept(err error) tui.Delivery {
	switch status := statusKept(err); status {
	case tui.DeliverySent:
		return tui.DeliverySentNotKept
	case tui.DeliveryBlocked, tui.DeliveryEnrolAgain:
		return status
	}
	return tui.DeliveryFailed
}

// sendRest sends the reports that waited before this check.
func (d *delivery) sendRest(ctx context.Context) {
	if d.rest == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	if _, err := d.station.uplink(d.rest).Drain(ctx); err != nil {
		d.station.log.Info("older reports wait", "err", err)
	}
}

// sayDelivery prints why a report was not stored or delivered, unless the screen has said so.
func (p *program) sayDelivery(d *delivery) {
	if d.keepErr != nil {
		text, _ := p.explainFailure(d.keepErr)
		fmt.Fprintln(p.err, text)
	}
	if d.err == nil {
		return
	}
	for _, said := range []error{
		uplink.ErrBlocked, uplink.ErrEnrolAgain, uplink.ErrRefused, uplink.ErrNotReached,
		context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(d.err, said) {
			return
		}
	}
	if _, ok := errors.AsType[*collector.ClockError](d.err); ok {
		p.warn("upload.clock") // the check has already described the problem and the action
		return
	}
	// Most errors of the line or the collector have no text of their own: it is sufficient
	// that the report waits.
	text, known := p.sentenceFor(d.err)
	if !known {
		return
	}
	fmt.Fprintln(p.err, text)
}
