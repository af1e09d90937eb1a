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

func TestProbesBeginOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var voice, web time.Time
		start := time.Now()
		plan := probe.Plan{
			{Probe: noted{report.ProbeMediaVoice, &voice}, Budget: 5 * time.Second},
			{Probe: noted{report.ProbeNetworkWeb, &web}, Budget: 5 * time.Second},
		}
		spread(plan).Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if voice != start || web != start.Add(begins[report.ProbeNetworkWeb]) {
			t.Errorf("voice began after %v, web after %v", voice.Sub(start), web.Sub(start))
		}
		start = time.Now()
		spread(plan[1:]).Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if web != start {
			t.Errorf("alone it began after %v", web.Sub(start))
		}
	})
}

func TestProbeThatIsStoppedBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var began time.Time
	r, err := later{noted{report.ProbeNetworkWeb, &began}, time.Minute}.Run(ctx, probe.Env{Clock: probe.SystemClock{}})
	if err != nil || r.Status != report.StatusUnknown || !began.IsZero() {
		t.Errorf("%+v %v, began %v", r, err, began)
	}
}
