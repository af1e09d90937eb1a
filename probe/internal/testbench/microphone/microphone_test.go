//go:build unix

package microphone

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/browserpolicy"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/voices"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// This file contains what the tests with a real sound server share: microphones
// with recordings of known faults, and real checks of them.

// spoken is the length of the recording in each of these checks.
const spoken = 5 * time.Second

// sideBySide runs subtests concurrently, atOnce of them at a time. T.Parallel would
// run only as many as there are processors, but a capture mostly waits.
func sideBySide[C any](t *testing.T, atOnce int, cases []C, name func(C) string, run func(*testing.T, C)) {
	t.Helper()
	var running sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for _, c := range cases {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			t.Run(name(c), func(t *testing.T) { run(t, c) })
		})
	}
	running.Wait()
}

// recordings are the fixtures of package voices, as sound.
type recordings struct {
	t      *testing.T
	studio *voices.Studio
	all    []voices.Fixture
}

func newRecordings(t *testing.T) recordings {
	t.Helper()
	need.Programs(t, "pulseaudio", "pactl", "espeak-ng")
	studio, err := voices.NewStudio(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return recordings{t, studio, voices.Fixtures()}
}

// find returns a fixture with this truth whose kind has this prefix; of several the
// middle one, which has neither the lowest nor the highest strength.
func (r recordings) find(truth, kind string) voices.Fixture {
	r.t.Helper()
	fit := slices.DeleteFunc(slices.Clone(r.all), func(f voices.Fixture) bool {
		return f.Truth != truth || !strings.HasPrefix(f.Kind, kind)
	})
	if len(fit) == 0 {
		r.t.Fatalf("no recording of %q of the kind %q", truth, kind)
	}
	return fit[len(fit)/2]
}

func (r recordings) sound(t *testing.T, f voices.Fixture) voices.Sound {
	t.Helper()
	s, err := f.Sound(t.Context(), r.studio)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sounds generates several recordings concurrently, by name.
func (r recordings) sounds(t *testing.T, fixtures []voices.Fixture) map[string]voices.Sound {
	t.Helper()
	var mu sync.Mutex
	made := map[string]voices.Sound{}
	sideBySide(t, runtime.NumCPU(), fixtures, voices.Fixture.Name, func(t *testing.T, f voices.Fixture) {
		s := r.sound(t, f)
		mu.Lock()
		defer mu.Unlock()
		made[f.Name()] = s
	})
	return made
}

// plugIn adds a microphone with a recording.
func plugIn(t *testing.T, rig *pulserig.Rig, id string, s voices.Sound) *pulserig.Cable {
	t.Helper()
	cable := rig.Plug(t, id, pulserig.Plug{RateHz: s.RateHz, Channels: s.Channels})
	cable.Feed(s.Samples, 0)
	return cable
}

// bench is the real check of one microphone, with a capture process that uses the
// rig's server.
type bench struct {
	child  audio.Child
	device string // "" is the default
	others bool
	// speaker adds the loudspeaker's test after the microphone's.
	speaker bool
	// judgeDefault keeps the cause that the microphone is not the default. It is
	// off where many microphones share one server, because only one of them can be
	// the default.
	judgeDefault bool
	// policies are those of the browsers; nil means that there are none, whatever this machine
	// has.
	policies []browserpolicy.Browser
	// inBrowser adds a check of a conference system that people use in a browser.
	inBrowser bool
	// during is called once samples of the microphone arrive.
	during func()
}

// reached is the check of a conference system that answers.
type reached struct{}

func (reached) Name() string { return report.ProbeBBB }

func (reached) Version() int { return 1 }

func (reached) Run(context.Context, probe.Env) (probe.Result, error) {
	return probe.Result{Status: report.StatusOK, Data: &report.Conference{URLHost: "bbb.example.org", Reachable: new(true)}}, nil
}

func (b bench) check(t *testing.T) *report.Report {
	t.Helper()
	plan := probe.Plan{{
		Probe: audio.NewInput(audio.InputConfig{Device: b.device, SpeakFor: spoken, Others: b.others, Child: b.child,
			Site: "bbb.example.org", Policies: func() []browserpolicy.Browser { return b.policies }}),
		Budget: spoken + 20*time.Second,
	}}
	if b.speaker {
		plan = append(plan, probe.Step{
			Probe:  audio.NewOutput(audio.OutputConfig{Input: b.device, Child: b.child}),
			Budget: spoken + 40*time.Second,
			Turn:   probe.Turn{After: []probe.Mark{{Step: report.ProbeAudioInput}}},
		})
	}
	if b.inBrowser {
		plan = append(plan, probe.Step{Probe: reached{}, Budget: time.Second, Turn: probe.Turn{Sends: probe.Nothing()}})
	}
	var once sync.Once
	r := judge(t, plan, func(e probe.Event) {
		if e.Kind == probe.EventLevel && b.during != nil {
			once.Do(b.during)
		}
	})
	if b.device != "" && !b.others && !b.judgeDefault {
		return asDefault(t, r)
	}
	return r
}

// judge runs a plan and makes the report as package agent/check does, which a
// package below probe must not import.
func judge(t *testing.T, plan probe.Plan, progress func(probe.Event)) *report.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now().UTC()
	id, idErr := report.NewID(started, rand.Reader)
	code, codeErr := report.NewCase(rand.Reader)
	if err := errors.Join(idErr, codeErr); err != nil {
		t.Fatal(err)
	}
	out := plan.Run(ctx, probe.Env{Clock: probe.SystemClock{}, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: progress})
	if ctx.Err() != nil {
		t.Fatal(ctx.Err())
	}
	r := report.Redact(&report.Report{
		Schema: report.SchemaV1, ID: id, Case: code,
		Agent:   report.Agent{ID: uuid.Nil.String(), Version: "test", OS: runtime.GOOS, Arch: runtime.GOARCH},
		Trigger: report.TriggerCheck, Profile: diagnose.DefaultProfile, StartedAt: started,
		DurationMS: out.Duration.Milliseconds(), FirstVerdictMS: out.FirstVerdict.Milliseconds(),
		Verdict: report.Unknown, Probes: out.Results, Causes: []report.Cause{},
	}, report.Policy{})
	diagnose.Finish(r, limits)
	if err := r.Validate(); err != nil {
		t.Errorf("finish the report: %v", err)
	}
	return r
}

// asDefault returns the report as if the microphone were the system's default.
func asDefault(t *testing.T, r *report.Report) *report.Report {
	t.Helper()
	in := report.Find[report.AudioInput](r)
	if in == nil || in.IsDefault == nil {
		return r
	}
	in.IsDefault, in.DefaultDevice, in.DefaultMuted = new(true), "", nil
	limits, err := diagnose.LoadProfile(r.Profile)
	if err != nil {
		t.Fatal(err)
	}
	diagnose.Finish(r, limits)
	return r
}

// serviceChild returns a capture process that looks like a system service of
// systemd.
func serviceChild(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], audio.ChildArg)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "XDG_RUNTIME_DIR=") || strings.HasPrefix(v, "PULSE_SERVER=")
	}), "INVOCATION_ID=0123456789abcdef0123456789abcdef")
	return cmd
}
