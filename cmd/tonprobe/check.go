package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

// checkFlags are the flags of a check that are not settings.
type checkFlags struct {
	json    string // "" none, "-" standard output, else a file
	only    string
	plain   bool
	yes     bool
	speaker bool
	verbose bool
	// lifetime is the limit of the search for the lifetime of a NAT binding.
	lifetime time.Duration
}

func bindCheckFlags(f *flag.FlagSet) *checkFlags {
	c := &checkFlags{}
	f.StringVar(&c.json, "json", "", "")
	f.StringVar(&c.only, "only", "", "")
	f.BoolVar(&c.plain, "plain", false, "")
	f.BoolVar(&c.yes, "yes", false, "")
	f.BoolVar(&c.speaker, "speaker", false, "")
	f.BoolVar(&c.verbose, "verbose", false, "")
	f.DurationVar(&c.lifetime, "binding-lifetime", 0, "")
	return c
}

// check performs one check, shows it, stores it and sends it.
func (p *program) check(ctx context.Context, args []string) error {
	f := newFlags("check")
	s := bindSettings(f)
	s.bindCheck(f)
	flags := bindCheckFlags(f)
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	c, err := s.loadForPerson(p.getenv)
	if err != nil {
		return err
	}
	if err := writable(flags.json); err != nil {
		return err
	}
	log := p.logger(flags.verbose)
	st, how, err := station.Connect(ctx, c, log)
	// A full or read-only disk does not prevent the check. That the report could not be stored
	// is printed at the end.
	if err != nil && !errors.Is(err, identity.ErrNotSaved) {
		return err
	}
	p.warnConnection(how)
	note := ""
	if err == nil { // else a code would be used up, and its token lost
		note = p.enrollLater(ctx, st)
	}
	if note != "" && (flags.yes || !p.attended(flags)) { // nobody is asked for a code
		fmt.Fprintln(p.err, note)
	}
	o := st.CheckOptions(p.version)
	o.Only, o.OtherMicrophones, o.BindingLifetime = only(flags.only), true, flags.lifetime
	o.Load, o.Speaker = c.Load, flags.speaker
	if err := o.Validate(); err != nil {
		return err
	}
	if c.Device, err = p.findDevice(ctx, c); err != nil {
		return err
	}
	st.Config.Device = c.Device
	if p.attended(flags) {
		o.Keep = new(audio.Recording)
	}
	run := func(ctx context.Context, c tui.Choices, progress func(probe.Event)) (*report.Report, error) {
		o := o
		o.Device, o.Speaker, o.Progress = c.Device, c.Speaker, progress
		o.ToneHeard = c.ToneHeard
		o.AgentID, o.Collector = st.AgentID(), st.Collector() // the first screen may have enrolled
		if c.Requested {
			// Phone support waits for the result: all probes, without the slow measurements on
			// request.
			o.Trigger, o.Only, o.Load, o.BindingLifetime = report.TriggerSupport, nil, false, 0
			o.NoAudio = o.NoAudio || c.NoAudio
		}
		return check.Run(ctx, o)
	}
	d := &station.Delivery{Station: st}
	r, err := p.screen(ctx, st, flags, o, note, run, deliverFor(d))
	if r == nil {
		return err
	}
	p.printDelivery(d)
	err = p.writeReport(flags.json, r)
	d.SendRest(ctx)
	// The targets are stored for the next start. With a service this does nothing.
	if err := st.RefreshTargets(ctx, time.Now()); err != nil {
		log.Debug("the conference systems could not be requested", "err", err)
	}
	if err != nil {
		return err
	}
	return &printedError{statusOf(r.Verdict)}
}

func only(list string) []string {
	if list == "" {
		return nil
	}
	names := strings.Split(list, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// findDevice rejects a missing microphone before a person speaks. If devices cannot be
// listed, the check itself reports the reason.
func (p *program) findDevice(ctx context.Context, c config.Config) (id string, err error) {
	if c.Device == "" || c.NoAudio {
		return c.Device, nil
	}
	devices, err := audio.Devices(ctx, nil)
	if err != nil {
		return c.Device, nil
	}
	return chooseDevice(devices, c.Device)
}

// chooseDevice finds a microphone by ID, by name, or by its number in the list of "tonprobe
// devices". If several have the same name, the error distinguishes them.
func chooseDevice(devices []audio.Device, wanted string) (id string, err error) {
	var names, same []string
	only := ""
	for i, d := range devices {
		switch {
		case d.ID == wanted:
			return d.ID, nil
		case d.Name == wanted:
			same, only = append(same, fmt.Sprintf("%d (%s)", i+1, d.ID)), d.ID
		}
		if !d.IsMonitor {
			names = append(names, d.Name)
		}
	}
	n, notNumber := strconv.Atoi(wanted)
	switch {
	case len(same) == 1:
		return only, nil
	case len(same) > 1:
		return "", &usageError{key: "check.twin_device", args: []any{"name", wanted, "known", join(same)}}
	case notNumber == nil && n >= 1 && n <= len(devices):
		return devices[n-1].ID, nil
	case len(names) == 0:
		return wanted, nil
	}
	return "", &usageError{key: "check.unknown_device", args: []any{"name", wanted, "known", join(names)}}
}

// logger returns a logger for support, which is silent unless verbose.
func (p *program) logger(verbose bool) *slog.Logger {
	if !verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: report.LogAttr}))
}

// writable returns an error if the report cannot be written to a file, so that this is known
// before a person speaks. The report replaces an existing file only when it is complete, so
// writable tries to create another file in the folder.
func writable(to string) error {
	if to == "" || to == "-" {
		return nil
	}
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		return &fs.PathError{Op: "write", Path: to, Err: syscall.EISDIR}
	}
	if isDevice(to) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".tonprobe-*")
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			e.Path = to
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeReport writes the report exactly as it is sent.
func (p *program) writeReport(to string, r *report.Report) error {
	if to == "" {
		return nil
	}
	doc, err := r.Encode()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	b.WriteByte('\n')
	if to == "-" {
		_, err := p.out.Write(b.Bytes())
		return err
	}
	return writeFile(to, b.Bytes())
}

// isDevice reports whether to exists and is neither a file nor a folder, such as /dev/stdout
// or a named pipe.
func isDevice(to string) bool {
	info, err := os.Stat(to)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// writeFile replaces a file atomically, and writes to anything else in place: a rename would
// replace a device by a file.
func writeFile(to string, b []byte) error {
	if !isDevice(to) {
		return durable.WriteFile(to, b)
	}
	f, err := os.OpenFile(to, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// humanOut returns the stream for text: standard error if standard output is reserved for the
// report.
func (p *program) humanOut(flags *checkFlags) *output {
	if flags.json == "-" {
		return p.err
	}
	return p.out
}
