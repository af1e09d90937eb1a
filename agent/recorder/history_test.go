package recorder

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestHistoryIsValid(t *testing.T) {
	var samples []Sample
	for i := range 2000 {
		samples = append(samples, Sample{At: begin.Add(time.Duration(i) * Every), Link: links[1+i%5], Programs: watch.Clients(),
			Gateway: Echo{Asked: true, Answered: i%3 > 0, RTT: time.Duration(i) * time.Millisecond}, SignalDBM: new(float64(-i % 100))})
	}
	h := History(samples, report.HostEvent{At: begin.Add(time.Hour), Kind: report.EventWiFiDropped}, 3)
	r := &report.Report{Probes: []report.Result{{Name: report.ProbeHostHistory, Status: report.StatusOK, StartedAt: begin, Data: h}}}
	redacted := report.Redact(r, report.Policy{})
	if d := report.Find[report.HostHistory](redacted); !reflect.DeepEqual(d, h) {
		t.Errorf("redaction changes a history: got %+v, want %+v", d, h)
	}
	if len(h.Minutes) > keptMinutes+1 || len(h.Seconds) == 0 || len(h.Seconds) > maxSeconds {
		t.Errorf("got %d minutes and %d seconds, want at most 11, and 1 to 64", len(h.Minutes), len(h.Seconds))
	}
	if doc, err := json.Marshal(h); err != nil || len(doc) > 32<<10 {
		t.Errorf("got %d bytes, %v, want at most 32 kB", len(doc), err)
	}
}
