package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/tui/words"
)

// devices lists the microphones of this machine.
func (p *program) devices(ctx context.Context, args []string) error {
	f := newFlags("devices")
	asJSON := f.Bool("json", false, "")
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	list, err := audio.Devices(ctx, nil)
	if e, ok := errors.AsType[*audio.DeviceError](err); ok {
		return p.printNoDevices(e, *asJSON)
	}
	if err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(list)
	}
	if len(list) == 0 {
		p.say("devices.none")
	}
	named := map[string]int{}
	for _, d := range list {
		named[d.Name]++
	}
	for i, d := range list {
		marks := p.deviceMarks(d)
		if named[d.Name] > 1 { // the name is not unique
			marks = append(marks, p.t("devices.number", "number", fmt.Sprint(i+1)), words.Clean(d.ID, 120))
		}
		fmt.Fprintln(p.out, strings.Join(append([]string{words.Clean(d.Name, 120)}, marks...), ", "))
	}
	return nil
}

func (p *program) deviceMarks(d audio.Device) []string {
	var marks []string
	for _, m := range []struct {
		holds bool
		key   string
	}{
		{d.IsDefault, "devices.default"}, {d.IsMonitor, "devices.monitor"}, {d.IsBluetooth, "devices.bluetooth"},
	} {
		if m.holds {
			marks = append(marks, p.t(m.key))
		}
	}
	if d.NativeRateHz > 0 {
		marks = append(marks, fmt.Sprintf("%d Hz", d.NativeRateHz))
	}
	return marks
}

// printNoDevices prints why nothing could be listed.
func (p *program) printNoDevices(e *audio.DeviceError, asJSON bool) error {
	if asJSON {
		if err := p.printJSON([]audio.Device{}); err != nil {
			return err
		}
	}
	key := "devices.state_" + string(e.State)
	if !p.texts.Has(key) {
		key = "devices.failed"
	}
	p.warn(key, "detail", words.Clean(e.Text, 200))
	return &printedError{exitSoftware}
}
