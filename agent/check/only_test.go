package check

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestOnly(t *testing.T) {
	for _, tt := range []struct {
		with Options
		only string
		want string // the selected probes, or the unknown names
	}{
		{Options{}, "audio.output", "audio.output"},
		{Options{}, "audio", "audio.input"},
		{Options{Speaker: true}, "audio", "audio.input audio.output"},
		{Options{}, "audio.output,audio", "audio.input audio.output"},
		{Options{}, "media", "media.voice"},
		{Options{Load: true}, "media", "media.voice media.load"},
		{Options{}, "media.load", "media.load"},
		{Options{Load: true, Speaker: true}, "network.web", "network.web"},
		{Options{}, "nat", "nat nat.behavior nat.turn"},
		{Options{}, "nat,nat", "nat nat.behavior nat.turn"},
		{Options{}, "nat.turn,nat.turn", "nat.turn"},
		{Options{}, "network.path,network.web,audio.input", "audio.input network.web network.path"},
		{Options{}, "nat,natt,x,natt", "unknown: natt x"},
		{Options{}, "", "unknown: "},
		{Options{}, "nat.", "unknown: nat."},
		{Options{}, "NAT", "unknown: NAT"},
	} {
		o := tt.with
		o.Only = strings.Split(tt.only, ",")
		plan, err := o.plan(t.Context())
		got := strings.Join(names(plan), " ")
		if unknown, ok := errors.AsType[*UnknownProbeError](err); ok {
			got = "unknown: " + strings.Join(unknown.Names, " ")
			if !slices.Contains(unknown.Known, report.ProbeAudioOutput) || !slices.Contains(unknown.Known, report.ProbeMediaLoad) {
				t.Errorf("%q: got %v as known probes, want the ones on request too", tt.only, unknown.Known)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if got != tt.want {
			t.Errorf("--only %s: got %q, want %q", tt.only, got, tt.want)
		}
	}
}

// A repeated name must not make the report invalid.
func TestOnlyWithARepeatedName(t *testing.T) {
	plan := probe.Plan{after(report.ProbeNAT, 0), after(report.ProbeMediaVoice, 0)}
	r, err := Run(t.Context(), Options{Plan: plan, Only: []string{"nat", "nat"}})
	if err != nil || len(r.Probes) != 1 {
		t.Errorf("got %v, error %v; want Probes 1 entry", r, err)
	}
}

func TestListens(t *testing.T) {
	for only, want := range map[string]bool{"": true, "audio": true, "nat,audio.output": true, "nat": false, "network.web,media": false} {
		o := Options{}
		if only != "" {
			o.Only = strings.Split(only, ",")
		}
		if got := o.Listens(); got != want {
			t.Errorf("--only %s: got listens %v, want %v", only, got, want)
		}
	}
	if (Options{NoAudio: true}).Listens() {
		t.Error("listens without audio")
	}
}

func TestProbeNames(t *testing.T) {
	names := ProbeNames()
	if _, err := (Options{Only: names}).plan(t.Context()); err != nil {
		t.Error(err)
	}
	for _, want := range []string{report.ProbeAudioInput, report.ProbeAudioOutput, report.ProbeMediaLoad, report.ProbeHostLoad} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing in %q", want, names)
		}
	}
}
