package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/web/browser"
	"github.com/tonprobe/tonprobe/tui"
)

// sendTimeout is generous, because the collector runs in this process.
const sendTimeout = 10 * time.Second

// show runs the demo and returns the exit status of the check.
func show(ctx context.Context, o options) (status int, err error) {
	dir, err := os.MkdirTemp("", "tonprobe-demo-")
	if err != nil {
		return exitFailed, fmt.Errorf("create a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir)

	if o.evening {
		return exitOK, showEvening(ctx, o, dir, probe.SystemClock{})
	}
	fmt.Fprintln(o.out(), o.texts.T("starting"))
	c, err := startCollector(ctx, dir)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	a, err := enrol(ctx, c, dir)
	if err != nil {
		return exitFailed, err
	}

	r, err := makeCheck(ctx, o, c, a)
	if err != nil {
		return exitFailed, err
	}
	if err := writeJSON(o.json, r); err != nil {
		return exitFailed, err
	}
	if o.once {
		return exitStatus(r.Verdict), nil
	}
	return exitStatus(r.Verdict), leaveOpen(ctx, o, c)
}

// makeCheck runs one check and prints it line by line, like `tonprobe --plain`.
func makeCheck(ctx context.Context, o options, c *collector, a *enrolled) (*report.Report, error) {
	return tui.Run(ctx, tui.Options{
		Lang: o.lang, Plain: true, Agreed: true,
		In: os.Stdin, Out: o.out(),
		Consent: tui.Consent{Recipient: c.server.URL(), NoAudio: o.noAudio},
		Check: func(ctx context.Context, choices tui.Choices, progress func(probe.Event)) (*report.Report, error) {
			return check.Run(ctx, check.Options{
				Device: choices.Device, NoAudio: o.noAudio, SpeakFor: o.speakFor, Version: version,
				AgentID: a.id, Collector: &a.endpoint, Progress: progress,
			})
		},
		Deliver: func(ctx context.Context, r *report.Report) tui.Delivery {
			ctx, cancel := context.WithTimeout(ctx, sendTimeout)
			defer cancel()
			return a.deliver(ctx, report.Probes{}, r)
		},
		Log: slog.New(slog.DiscardHandler),
	})
}

// writeJSON writes the report to the destination of --json.
func writeJSON(to string, r *report.Report) error {
	if to == "" {
		return nil
	}
	b, err := r.Encode()
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	b = append(b, '\n')
	if to == "-" {
		_, err = os.Stdout.Write(b)
	} else {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// leaveOpen prints the addresses of the dashboard and of the browser check, and waits for Ctrl-C.
func leaveOpen(ctx context.Context, o options, c *collector) error {
	if err := printDashboard(ctx, o, c); err != nil {
		return err
	}
	if err := printBrowserCheck(ctx, o, c); err != nil {
		return err
	}
	fmt.Fprintln(o.out(), "\n"+o.texts.T("end"))
	return waitForEnd(ctx, o, c)
}

func printDashboard(ctx context.Context, o options, c *collector) error {
	url, err := c.server.OneTimeLogin(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.out())
	fmt.Fprintln(o.out(), o.texts.T("dashboard", "url", url, "name", server.FirstUser, "password", c.password))
	return nil
}

// printBrowserCheck prints the address of the browser check with the code of a second person, or how to
// build the check.
func printBrowserCheck(ctx context.Context, o options, c *collector) error {
	_, built, err := browser.Load()
	if err != nil {
		return err
	}
	fmt.Fprintln(o.out())
	if !built {
		fmt.Fprintln(o.out(), o.texts.T("browser_missing"))
		return nil
	}
	p, code, _, err := c.server.AddParticipant(ctx, "Max Beispiel", "")
	if err != nil {
		return fmt.Errorf("add a participant: %w", err)
	}
	url := c.server.URL() + wire.CheckPath + "#" + code
	fmt.Fprintln(o.out(), o.texts.T("browser", "url", url, "name", p.Name))
	return nil
}

// waitForEnd waits for Ctrl-C.
func waitForEnd(ctx context.Context, o options, c *collector) error {
	select {
	case <-ctx.Done():
		fmt.Fprintln(o.out(), "\n"+o.texts.T("stopping"))
		return nil
	case err := <-c.failed:
		return err
	}
}
