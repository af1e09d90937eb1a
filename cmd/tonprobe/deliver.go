package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

const (
	// keepTime is for a disk that is slow; the report is kept even when the
	// person has already left.
	keepTime = 5 * time.Second
	// sendTime is how long a person is kept waiting for the collector. What is
	// not sent by then waits for the background service or the next check.
	sendTime = 8 * time.Second
)

// delivery brings reports to the collector and remembers the last trouble, to
// be told once the screen is gone.
type delivery struct {
	station *station
	err     error
}

// deliver keeps the report, then sends it.
func (d *delivery) deliver(ctx context.Context, r *report.Report) tui.Delivery {
	status, err := d.attempt(ctx, r)
	d.err = err
	return status
}

func (d *delivery) attempt(ctx context.Context, r *report.Report) (tui.Delivery, error) {
	st := d.station
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	sp, err := openSpool(keep, st.config, st.log)
	if err != nil {
		return tui.DeliveryFailed, err
	}
	if err := st.keep(keep, sp, r); err != nil {
		return tui.DeliveryFailed, err
	}
	switch {
	case st.config.NoUpload:
		return tui.DeliveryDeclined, nil
	case !st.enrolled():
		return tui.DeliveryNotEnrolled, nil
	}
	ctx, cancel = context.WithTimeout(ctx, sendTime)
	defer cancel()
	_, sendErr := st.uplink(sp).Drain(ctx)
	sent, err := isSent(sp, r.ID)
	if sent {
		return tui.DeliverySent, nil
	}
	return tui.DeliveryWaiting, errors.Join(sendErr, err)
}

// sayDelivery explains why a report was not delivered. That the collector was
// not reached is already said by the screen.
func (p *program) sayDelivery(err error) {
	if err == nil || errors.Is(err, uplink.ErrNotReached) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	if _, ok := errors.AsType[*collector.ClockError](err); ok {
		p.warn("upload.clock") // the check has said what is wrong and what to do
		return
	}
	text, _ := p.explainFailure(err)
	fmt.Fprintln(p.err, text)
}
