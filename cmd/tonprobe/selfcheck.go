package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/report"
)

// socketTime is how long a service that has just been started may take to open its socket.
const socketTime = 10 * time.Second

// serviceStart starts or restarts the service, and prints which of its parts work.
func (p *program) serviceStart(ctx context.Context, a resident.Action, c config.Config, flags *serviceFlags) error {
	if err := p.serviceControl(a, resident.Setup{User: flags.user, Data: c.Data}); err != nil {
		return err
	}
	p.printFindings(p.selfCheck(ctx, c, socketTime))
	return nil
}

func (p *program) serviceStatus(ctx context.Context, c config.Config, flags *serviceFlags) error {
	state, err := resident.Setup{User: flags.user, Data: c.Data}.Status()
	if err != nil {
		return err
	}
	findings, notice := []local.Finding{}, ""
	if state == resident.StateRunning {
		findings = p.selfCheck(ctx, c, 0)
		notice = p.releaseNotice(knownRelease(ctx, c), time.Now())
	}
	if flags.json {
		return p.printJSON(map[string]any{
			"installed": state != resident.StateMissing, "running": state == resident.StateRunning, "state": state,
			"self_check": findings, "release_notice": notice,
		})
	}
	p.say("service.state_" + string(state))
	p.printFindings(findings)
	if notice != "" {
		fmt.Fprintln(p.out, notice)
	}
	return nil
}

// selfCheck asks the service which of its parts work. It waits up to patience for a
// service that is starting. The service of a person has no socket: the person's program
// has the same rights.
func (p *program) selfCheck(ctx context.Context, c config.Config, patience time.Duration) []local.Finding {
	if c.Socket == "" {
		service := &station.LocalAgent{Config: c, Version: p.version, Log: slog.New(slog.DiscardHandler)}
		return service.SelfCheck(ctx)[1:]
	}
	client := local.NewClient(c.Socket)
	for deadline := time.Now().Add(patience); ; {
		findings, err := client.SelfCheck(ctx)
		if err == nil {
			return findings
		}
		if !errors.Is(err, local.ErrNoService) || time.Now().After(deadline) || ctx.Err() != nil {
			return []local.Finding{{Part: local.PartSocket, State: local.Fails, Detail: report.ErrorText(err)}}
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *program) printFindings(findings []local.Finding) {
	for _, f := range findings {
		if f.Part == local.PartSchedule {
			p.printNext(f.Next)
			continue
		}
		p.say("service.check_" + string(f.Part) + "_" + string(f.State))
		if f.Detail != "" {
			p.say("service.check_detail", "detail", f.Detail)
		}
	}
	if len(findings) > 0 {
		p.say("service.check_microphone")
	}
}

// printNext prints when the service checks next, as local time.
func (p *program) printNext(next *local.NextCheck) {
	const minute = "2006-01-02 15:04"
	if next == nil {
		return
	}
	switch {
	case next.Session.IsZero():
		p.say("service.next", "at", next.At.Local().Format(minute))
	default:
		p.say("service.next_session", "at", next.At.Local().Format(minute), "session", next.Session.Local().Format(minute))
	}
	for _, why := range next.Sparing {
		if why == local.SparingMetered || why == local.SparingPower {
			p.say("service.sparing_" + string(why))
		}
	}
}
