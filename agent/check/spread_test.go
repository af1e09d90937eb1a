package check

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// noted tells when it began.
type noted struct {
	name  string
	began *time.Time
}

func (n noted) Name() string { return n.name }
func (n noted) Version() int { return 1 }
func (n noted) Run(context.Context, probe.Env) (probe.Result, error) {
	*n.began = time.Now()
	return probe.Result{Status: report.StatusOK}, nil
}

// voiceOf notes its beginning and settles its way after a while; never when that
// is 0.
type voiceOf struct {
	noted
	after   time.Duration
	settled chan struct{}
}

func (v voiceOf) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	r, err := v.noted.Run(ctx, env)
	if v.after > 0 {
		time.Sleep(v.after)
		close(v.settled)
	}
	return r, err
}

func TestProbesBeginOneAfterTheOther(t *testing.T) {
	relays := begins[report.ProbeNATTURN]
	for name, c := range map[string]struct{ settles, want time.Duration }{
		"a quick line":       {time.Millisecond, relays.after},
		"a narrow one":       {(relays.after + relays.until) / 2, (relays.after + relays.until) / 2},
		"no way at all":      {0, relays.until},
		"settled much later": {time.Minute, relays.until},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var voice, began time.Time
				settled := make(chan struct{})
				start := time.Now()
				plan := probe.Plan{
					{Probe: voiceOf{noted{report.ProbeMediaVoice, &voice}, c.settles, settled}, Budget: time.Hour},
					{Probe: noted{report.ProbeNATTURN, &began}, Budget: 5 * time.Second},
				}
				spread(plan, settled).Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
				if voice != start || began != start.Add(c.want) {
					t.Errorf("voice began after %v, the relays after %v, want %v", voice.Sub(start), began.Sub(start), c.want)
				}
			})
		})
	}
}

func TestNobodyWaitsForAVoiceThatDoesNotRun(t *testing.T) {
	plan, err := Options{Only: []string{report.ProbeNATTURN, report.ProbeNATBehavior}}.withDefaults().plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan {
		select {
		case <-s.Probe.(later).settled:
		default:
			t.Errorf("%s waits", s.Probe.Name())
		}
	}
}

func TestOneAloneBeginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var web time.Time
		start := time.Now()
		plan := probe.Plan{{Probe: noted{report.ProbeNetworkWeb, &web}, Budget: 5 * time.Second}}
		spread(plan, nil).Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if web != start {
			t.Errorf("alone it began after %v", web.Sub(start))
		}
	})
}

func TestProbeThatIsStoppedBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var began time.Time
	l := later{Probe: noted{report.ProbeNetworkWeb, &began}, begin: begin{after: time.Minute, until: time.Hour}}
	r, err := l.Run(ctx, probe.Env{Clock: probe.SystemClock{}})
	if err != nil || r.Status != report.StatusUnknown || !began.IsZero() {
		t.Errorf("%+v %v, began %v", r, err, began)
	}
}
