package station

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	randv2 "math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// allowFile exists if the participant has permitted checks without the microphone in
// advance. It supplements the configuration, which may belong to an administrator.
const allowFile = "allow-network-retest"

// AllowsNetworkRetest reports whether phone support may start a check that does not use the microphone
// without consent in each case.
func AllowsNetworkRetest(c config.Config) bool {
	if c.AllowNetworkRetest {
		return true
	}
	_, err := os.Stat(filepath.Join(c.Data, allowFile))
	return err == nil
}

// AllowNetworkRetest stores the participant's decision.
func AllowNetworkRetest(c config.Config, allow bool) error {
	path := filepath.Join(c.Data, allowFile)
	if allow {
		return durable.WriteFile(path, nil)
	}
	if err := durable.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Channel returns the loop of the service that keeps the connection over which phone
// support requests retests. The open programs, screens, ask the person and run the check;
// screens is nil if programs cannot register. If no program is open, a check without the
// microphone that was permitted in advance runs in this process when turn permits it.
func Channel(c config.Config, version string, turn Turn, conditions *Conditions, screens *local.Screens, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		handler := &channel.RetestHandler{
			AllowsNetwork: func() bool { return AllowsNetworkRetest(c) },
			AllowNetwork:  func() error { return AllowNetworkRetest(c, true) },
			Network: func(ctx context.Context, tell func(probe.Event)) (string, error) {
				end, err := turn.take(ctx)
				if err != nil {
					return "", err
				}
				defer end()
				return networkRetest(ctx, c, version, log, tell)
			},
		}
		if screens != nil {
			handler.Screen, handler.Present = screens, screens.Present
		}
		return follow(ctx, c, conditions.inSession, channel.Config{
			Endpoint: func() (*collector.Endpoint, error) { return endpoint(c, log) }, Version: version, Log: log,
			Retests: handler, Sessions: conditions.requestSessions,
		})
	}
}

// Follow serves the requests of phone support for a program in which screen asks a person and runs
// the check, until ctx is done. The program registers with the service, or keeps a connection of its
// own if there is none.
func (s *Station) Follow(ctx context.Context, version string, screen channel.Screen) error {
	if s.service != nil {
		return s.register(ctx, screen)
	}
	return follow(ctx, s.Config, nil, channel.Config{
		Endpoint: func() (*collector.Endpoint, error) {
			if !s.Enrolled() {
				return nil, resident.ErrNotEnrolled // the person may enrol on the first page
			}
			return s.Collector(), nil
		},
		Version: version, Log: s.log, Retests: &channel.RetestHandler{
			Screen:        screen,
			AllowsNetwork: func() bool { return AllowsNetworkRetest(s.Config) },
			AllowNetwork:  func() error { return AllowNetworkRetest(s.Config, true) },
		},
	})
}

// AllowsNetworkRetest reports whether phone support may check the line of this computer without the
// participant's consent.
func (s *Station) AllowsNetworkRetest(ctx context.Context) (bool, error) {
	if s.service == nil {
		return AllowsNetworkRetest(s.Config), nil
	}
	status, err := s.service.Status(ctx)
	return status.NetworkRetest, err
}

// AllowNetworkRetest stores the participant's decision at the service, or in the person's own folder
// if there is none. The errors include local.ErrFixed.
func (s *Station) AllowNetworkRetest(ctx context.Context, allow bool) error {
	if s.service != nil {
		_, err := s.service.AllowNetworkRetest(ctx, allow)
		return err
	}
	if s.Config.AllowNetworkRetest && !allow {
		return local.ErrFixed
	}
	return AllowNetworkRetest(s.Config, allow)
}

// Waits before a program registers again.
const (
	minRegisterWait = 500 * time.Millisecond
	maxRegisterWait = 15 * time.Second
	steadyAfter     = 30 * time.Second
)

// register keeps the program registered. A service that was restarted is found within seconds.
func (s *Station) register(ctx context.Context, screen channel.Screen) error {
	wait := minRegisterWait
	for {
		began := time.Now()
		err := s.service.Register(ctx, screen, nil)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if time.Since(began) >= steadyAfter {
			wait = minRegisterWait
		}
		s.log.Info("this program is not registered with the service at the moment", "err", err)
		pause := wait/2 + time.Duration(randv2.Float64()*float64(wait/2))
		if err := (probe.SystemClock{}).Sleep(ctx, pause); err != nil {
			return context.Cause(ctx)
		}
		wait = min(2*wait, maxRegisterWait)
	}
}

// follow keeps the connection to the collector. silent is renewer.silent.
func follow(ctx context.Context, c config.Config, silent func(time.Time) bool, to channel.Config) error {
	if c.NoUpload { // a retest would be pointless, because its report is not sent
		<-ctx.Done()
		return context.Cause(ctx)
	}
	instance, release, err := channel.Instance(c.Data, rand.Reader)
	if err != nil {
		to.Log.Warn("copies of this data folder cannot be detected", "err", err)
	} else {
		defer func() { _ = release() }()
	}
	to.Instance = instance
	renewal := newRenewer(c, silent, to.Log)
	ctx, cancel := context.WithCancel(ctx)
	work := guard.Group{Stop: cancel} // the service starts the channel again
	defer work.Wait()
	defer cancel()
	work.Go(func() { renewal.run(ctx) })
	to.Endpoint = renewal.reporting(to.Endpoint)
	to.Process, to.Clock, to.Random, to.Retests.Log = newProcess(), probe.SystemClock{}, randv2.Float64, to.Log
	return channel.New(to).Run(ctx)
}

// endpoint reads the identity anew, so that an enrolment takes effect.
func endpoint(c config.Config, log *slog.Logger) (*collector.Endpoint, error) {
	st, err := Open(c, log)
	if err != nil {
		return nil, err
	}
	if !st.Enrolled() {
		return nil, resident.ErrNotEnrolled
	}
	return st.Collector(), nil
}

// newProcess returns a random name for this process.
func newProcess() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// networkRetest performs a check without the microphone and delivers the report.
func networkRetest(ctx context.Context, c config.Config, version string, log *slog.Logger, tell func(probe.Event)) (string, error) {
	st, err := Open(c, log)
	if err != nil {
		return "", err
	}
	o := st.CheckOptions(version)
	o.Trigger, o.NoAudio, o.Progress = report.TriggerSupport, true, tell
	r, err := check.Run(ctx, o)
	if err != nil {
		return "", err
	}
	d := &Delivery{Station: st}
	if d.Deliver(ctx, r) == Failed {
		return "", errors.Join(d.Err, d.KeepErr)
	}
	return r.ID, nil
}
