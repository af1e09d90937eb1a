package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// serviceFlags are the flags of "tonprobe service" that are not settings.
type serviceFlags struct {
	json     bool
	user     bool
	keepData bool
}

// service installs, controls or runs the background service.
func (p *program) service(ctx context.Context, args []string) error {
	f := newFlags("service")
	s := bindSettings(f)
	s.text(f, "socket", func(c *config.Config) *string { return &c.Socket })
	s.text(f, "target", func(c *config.Config) *string { return &c.Target })
	s.text(f, "profile", func(c *config.Config) *string { return &c.Profile })
	formerInterval := false
	f.Func("interval", "", func(v string) error {
		formerInterval = v == formerIntervalArgument
		var d config.Duration
		err := d.UnmarshalText([]byte(v))
		s.flags = append(s.flags, func(c *config.Config) {
			if !formerInterval {
				c.Service.Interval = d
			}
		})
		return err
	})
	flags := &serviceFlags{}
	f.BoolVar(&s.machine, "machine", false, "") // given by the installed service
	f.BoolVar(&flags.json, "json", false, "")
	f.BoolVar(&flags.user, "user", false, "")
	f.BoolVar(&flags.keepData, "keep-data", false, "")
	positional, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		return &usageError{key: "service.no_action"}
	}
	action := positional[0]
	if action == "run" {
		return p.serviceRun(ctx, s, flags.user, formerInterval)
	}
	formerInterval = false // typed by a person
	s.machine = s.machine || !flags.user
	c, err := s.load(p.getenv)
	if err != nil {
		return err
	}
	if c.Socket == "" && !flags.user {
		c.Socket = local.Address(runtime.GOOS)
	}
	switch action {
	case "install":
		return p.serviceInstall(s, c, flags)
	case "uninstall":
		return p.serviceUninstall(s, c, flags)
	case "start", "restart":
		return p.serviceStart(ctx, resident.Action(action), c, flags)
	case "stop":
		return p.serviceControl(resident.Stop, resident.Setup{User: flags.user, Data: c.Data})
	case "status":
		return p.serviceStatus(ctx, c, flags)
	default:
		return &usageError{key: "service.unknown_action", args: []any{"action", action}}
	}
}

// serviceInstall passes the settings of the command line to the service, with absolute
// paths, because it starts in another folder.
func (p *program) serviceInstall(s *settings, c config.Config, flags *serviceFlags) error {
	// The account of the service will own everything in it.
	if !flags.user && !station.MayOwn(c.Data) {
		return &usageError{key: "service.foreign_folder", args: []any{"folder", c.Data}}
	}
	arguments := []string{"service", "run"}
	// Windows limits the length of the command that it runs at sign-in.
	if !flags.user || runtime.GOOS != "windows" || c.Data != s.places(p.getenv).DataDir() {
		arguments = append(arguments, "--data", c.Data)
	}
	switch {
	case !flags.user:
		arguments = append(arguments, "--machine")
	case runtime.GOOS == "windows":
		arguments = append(arguments, "--user")
	}
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
	arguments = append(arguments, "--profile", c.Profile)
	// The default is not written down, so that an upgrade can change it.
	if interval := time.Duration(c.Service.Interval); interval != config.DefaultInterval {
		arguments = append(arguments, "--interval", intervalArgument(interval))
	}
	setup := resident.Setup{User: flags.user, Data: c.Data, Arguments: arguments}
	before, err := setup.Status()
	if err := p.serviceControl(resident.Install, setup); err != nil {
		return err
	}
	if err == nil && before != resident.StateMissing {
		p.say("service.replaced")
	}
	return nil
}

// formerIntervalArgument is the interval that earlier versions wrote into each installed service,
// whether a person had chosen it or not. It was their default.
const formerIntervalArgument = "15m0s"

// intervalArgument returns an interval for the installed service that is not
// formerIntervalArgument, even if a person has chosen 15 minutes.
func intervalArgument(d time.Duration) string {
	if text := d.String(); text != formerIntervalArgument {
		return text
	}
	return fmt.Sprintf("%ds", int(d/time.Second))
}

func (p *program) serviceControl(a resident.Action, u resident.Setup) error {
	if err := u.Control(a); err != nil {
		return err
	}
	p.say("service.done_" + string(a))
	return nil
}

// serviceUninstall removes the service and its folder. It keeps the folder of a person, and one
// that was given on the command line, because they may contain other things.
func (p *program) serviceUninstall(s *settings, c config.Config, flags *serviceFlags) error {
	if err := p.serviceControl(resident.Uninstall, resident.Setup{User: flags.user, Data: c.Data}); err != nil {
		return err
	}
	if usual := s.places(p.getenv).DataDir(); flags.user || flags.keepData || c.Data != usual {
		p.say("service.kept_data", "folder", c.Data)
		return nil
	}
	if err := os.RemoveAll(c.Data); err != nil {
		return fmt.Errorf("remove the folder of the service: %w", err)
	}
	if resident.Packaged() { // the unit of the package, which remains, needs the folder
		if err := durable.MkdirPrivate(c.Data); err != nil {
			return fmt.Errorf("create the folder of the service: %w", err)
		}
	}
	return nil
}

// serviceRun runs the service, in the foreground if started by a person. On Windows, user means that it
// was started at sign-in, without a window.
// formerInterval is true if it was installed by a version with another default interval.
func (p *program) serviceRun(ctx context.Context, s *settings, user, formerInterval bool) error {
	c, err := s.load(p.getenv)
	if err != nil {
		return err
	}
	if s.machine && c.Socket == "" {
		c.Socket = local.Address(runtime.GOOS)
	}
	atSignIn := user && runtime.GOOS == "windows"
	out, err := p.serviceLog(c, atSignIn)
	if err != nil {
		return err
	}
	recent := &resident.RecentLog{}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(out, recent), &slog.HandlerOptions{ReplaceAttr: report.LogAttr}))
	if atSignIn && machineHasService() {
		log.Info("not started: this computer has the service, which does the same for everybody")
		return nil
	}
	if formerInterval {
		log.Info("the interval is the default of an earlier version, and is replaced by the present one", "interval", c.Service.Interval)
	}
	// An unusable station is an error to report now, not a reason for endless restarts.
	st, err := station.Open(c, log)
	if err != nil {
		log.Error("cannot start", "err", err)
		return unusable(err)
	}
	if err := st.CheckOptions(p.version).Validate(); err != nil {
		return err
	}
	work := p.loops(c, recent, log).Run
	release, err := station.OnlyService(c.Data)
	switch {
	case err == nil:
		defer func() { _ = release() }()
	case errors.Is(err, station.ErrOtherService) && resident.Supervised():
		// The other one may be one that an administrator runs for a moment. Ending would only mean to
		// start again every few seconds.
		log.Warn("another service uses this data folder: this one waits until that one ends")
		work = station.WhenOnly(c.Data, probe.SystemClock{}, work)
	default:
		log.Error("cannot start", "err", err)
		return unusable(err)
	}
	return resident.Run(work, log)
}

// serviceLog returns the destination of the service's log: systemd takes standard error
// into its journal; Windows and launchd have no destination with a limited size.
func (p *program) serviceLog(c config.Config, atSignIn bool) (io.Writer, error) {
	if runtime.GOOS == "linux" || resident.Interactive() && !atSignIn {
		return p.err, nil
	}
	return resident.OpenLog(filepath.Join(c.Data, resident.LogFolder))
}

// machineHasService reports whether the service of the computer is installed.
func machineHasService() bool {
	state, err := resident.Setup{}.Status()
	return err == nil && state != resident.StateMissing
}
