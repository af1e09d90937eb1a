package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/report"
)

// service installs, controls or runs the background service.
func (p *program) service(ctx context.Context, args []string) error {
	f := newFlags("service")
	s := bindSettings(f)
	s.text(f, "socket", func(c *config.Config) *string { return &c.Socket })
	s.text(f, "target", func(c *config.Config) *string { return &c.Target })
	s.text(f, "profile", func(c *config.Config) *string { return &c.Profile })
	f.Func("interval", "", func(v string) error {
		var d config.Duration
		err := d.UnmarshalText([]byte(v))
		s.flags = append(s.flags, func(c *config.Config) { c.Service.Interval = d })
		return err
	})
	asJSON := f.Bool("json", false, "")
	positional, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		return &usageError{key: "service.no_action"}
	}
	switch action := positional[0]; action {
	case "install":
		return p.serviceInstall(s)
	case "uninstall", "start", "stop", "restart":
		return p.serviceControl(resident.Action(action), nil)
	case "status":
		return p.serviceStatus(*asJSON)
	case "run":
		return p.serviceRun(ctx, s)
	default:
		return &usageError{key: "service.unknown_action", args: []any{"action", action}}
	}
}

// serviceInstall passes the settings of the command line to the service, with absolute
// paths, because it starts in another folder.
func (p *program) serviceInstall(s *settings) error {
	c, err := s.load(p.getenv)
	if err != nil {
		return err
	}
	// The unit allows the service to write nowhere else, so the folder must exist.
	if err := durable.MkdirPrivate(c.Data); err != nil && !errors.Is(err, fs.ErrPermission) { // Control reports who may do it
		return fmt.Errorf("install service: make %s: %w", c.Data, err)
	}
	arguments := []string{"service", "run", "--data", c.Data}
	for _, a := range [][2]string{{"--config", s.file}, {"--ca", c.CA}} {
		if a[1] == "" {
			continue
		}
		path, err := filepath.Abs(a[1])
		if err != nil {
			return fmt.Errorf("install service: %w", err)
		}
		arguments = append(arguments, a[0], path)
	}
	if c.Target != "" {
		arguments = append(arguments, "--target", c.Target)
	}
	arguments = append(arguments, "--profile", c.Profile, "--interval", c.Service.Interval.String())
	return p.serviceControl(resident.Install, arguments)
}

func (p *program) serviceControl(a resident.Action, arguments []string) error {
	if err := resident.Control(a, arguments); err != nil {
		return err
	}
	p.say("service.done_" + string(a))
	return nil
}

func (p *program) serviceStatus(asJSON bool) error {
	state, err := resident.Status()
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(map[string]any{"installed": state != resident.StateMissing, "running": state == resident.StateRunning, "state": state})
	}
	p.say("service.state_" + string(state))
	return nil
}

// serviceRun runs the service, in the foreground if started by a person.
func (p *program) serviceRun(ctx context.Context, s *settings) error {
	c, err := s.load(p.getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{ReplaceAttr: report.LogAttr}))
	// An unusable station is an error to report now, not a reason for endless restarts.
	st, err := station.Open(c, log)
	if err != nil {
		return err
	}
	if err := st.CheckOptions(p.version).Validate(); err != nil {
		return err
	}
	return resident.Run(p.loops(c, log).Run, log)
}
