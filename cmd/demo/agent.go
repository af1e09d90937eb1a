package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	agentcollector "github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

// version is the version of the program in reports.
const version = "demo"

// enrolled is the participant's side, with its own identity and spool.
type enrolled struct {
	id       string
	endpoint agentcollector.Endpoint
	spool    *spool.Spool
}

// enrol adds a participant at the collector and enrols this machine.
func enrol(ctx context.Context, c *collector, dir string) (*enrolled, error) {
	_, code, _, err := c.server.AddParticipant(ctx, "Erika Beispiel", "")
	if err != nil {
		return nil, fmt.Errorf("add a participant: %w", err)
	}
	return enrolWith(ctx, c, code, filepath.Join(dir, "spool"))
}

// enrolWith enrols a computer with a code, with the same request as on a real machine. Its reports
// wait in spoolDir.
func enrolWith(ctx context.Context, c *collector, code, spoolDir string) (*enrolled, error) {
	a := &enrolled{endpoint: agentcollector.Endpoint{URL: c.server.URL()}}
	now := time.Now()
	me := identity.Identity{AgentID: uuid.NewString(), CreatedAt: now}
	got, err := enroll.Run(ctx, &a.endpoint, code, me, version, now)
	if err != nil {
		return nil, err
	}
	a.id, a.endpoint.Token = got.AgentID, got.Enrolment.Token
	a.spool, err = spool.Open(ctx, spoolDir, spool.Limits{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	return a, nil
}

// deliver sends a report of the described probes the normal way: into the spool and over the
// network, until the collector has stored it.
func (a *enrolled) deliver(ctx context.Context, described report.Probes, r *report.Report) tui.Delivery {
	doc, err := described.Encode(r)
	if err != nil {
		return tui.DeliveryFailed
	}
	if err := a.spool.Put(ctx, r.ID, doc); err != nil {
		return tui.DeliveryFailed
	}
	up := uplink.Uplink{
		Spool: a.spool, Collector: &a.endpoint, AgentID: a.id,
		Clock: probe.SystemClock{}, Random: rand.Float64, Log: slog.New(slog.DiscardHandler),
	}
	if _, err := up.Drain(ctx); err != nil {
		return tui.DeliveryWaiting
	}
	return tui.DeliverySent
}
