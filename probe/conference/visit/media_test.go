package visit_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// endingCall is a call during whose stream the time of the check ends.
type endingCall struct {
	end   context.CancelFunc
	sound visit.Sound
}

func (endingCall) AwaitPath(context.Context) error             { return nil }
func (endingCall) AwaitKeys(context.Context) error             { return nil }
func (endingCall) Path() string                                { return "host udp" }
func (c endingCall) Run(context.Context)                       { c.end() }
func (c endingCall) Fill(d *report.MediaVoice) (s visit.Sound) { return c.sound }

func TestInterruptedStreamsCountFromAMinimumLength(t *testing.T) {
	for name, c := range map[string]struct {
		sound visit.Sound
		state report.MediaState
		up    string
	}{
		"whole":                {visit.Sound{Sent: 160, Whole: true, Returned: true}, report.MediaComplete, "ok"},
		"long enough":          {visit.Sound{Sent: 75, Returned: true}, report.MediaComplete, "ok"},
		"too short":            {visit.Sound{Sent: 74, Returned: true}, report.MediaInterrupted, "unknown no_time"},
		"nothing returned yet": {visit.Sound{Sent: 150}, report.MediaInterrupted, "unknown no_time"},
		"muted by the server":  {visit.Sound{Sent: 150, Returned: true, Fault: "muted_by_server"}, report.MediaInterrupted, "fail muted_by_server"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "example.org"}}, probetest.Env(t))
			defer v.Close()
			v.Media(ctx, endingCall{end, c.sound}, func(context.Context) visit.Outcome { return visit.OK() })
			conferencetest.Want(t, v.Data, map[report.ConferenceStep]string{report.StepSoundUp: c.up})
			if v.Data.Media.State != c.state {
				t.Errorf("state %s, want %s", v.Data.Media.State, c.state)
			}
		})
	}
}

// endingPath is a call of a check that ends while its path is searched for.
type endingPath struct{ endingCall }

func (c endingPath) AwaitPath(ctx context.Context) error { c.end(); return ctx.Err() }

// TestCheckEndsDuringThePath: neither ICE nor DTLS has failed then.
func TestCheckEndsDuringThePath(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "example.org"}}, probetest.Env(t))
	defer v.Close()
	v.Media(ctx, endingPath{endingCall{end: end}}, func(context.Context) visit.Outcome { return visit.OK() })
	conferencetest.Want(t, v.Data, map[report.ConferenceStep]string{report.StepPath: "unknown no_time"})
	if v.Data.Media.State != report.MediaInterrupted {
		t.Errorf("state %s, want %s", v.Data.Media.State, report.MediaInterrupted)
	}
}

// TestPanicOfAnEarlyStep: a panic in a step that runs concurrently with others reaches the
// goroutine of the probe, where it is recovered.
func TestPanicOfAnEarlyStep(t *testing.T) {
	v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "example.org"}}, probetest.Env(t))
	defer v.Close()
	early := v.Begin(t.Context(), report.StepRoundTrip, func(context.Context) visit.Outcome { panic("hostile") })
	defer func() {
		if got, ok := recover().(*guard.Panic); !ok || got.Value != "hostile" {
			t.Errorf("got panic %v, want %v", got, "hostile")
		}
	}()
	v.Finish(early)
}
