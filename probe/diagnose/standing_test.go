package diagnose_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestStandingIsNeverBetterThanWhatWasMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		result report.Result
		want   report.Status
	}{
		"tone heard":         {report.Result{Status: report.StatusOK, Data: &report.AudioOutput{LoopHeard: new(true)}}, report.StatusOK},
		"tone not heard":     {report.Result{Status: report.StatusOK, Data: &report.AudioOutput{LoopHeard: new(false)}}, report.StatusUnknown},
		"tone not recorded":  {report.Result{Status: report.StatusOK, Data: &report.AudioOutput{}}, report.StatusUnknown},
		"mapping alone":      {report.Result{Status: report.StatusOK, Data: &report.NATBehavior{Mapping: "EIM"}}, diagnose.StandingPartial},
		"filtering alone":    {report.Result{Status: report.StatusOK, Data: &report.NATBehavior{Filtering: "APDF"}}, diagnose.StandingPartial},
		"mapping, filtering": {report.Result{Status: report.StatusOK, Data: &report.NATBehavior{Mapping: "EIM", Filtering: "APDF"}}, report.StatusOK},
		"rates alone":        {report.Result{Status: report.StatusOK, Data: &report.MediaLoad{UpKbps: new(5000.0), DownKbps: new(9000.0)}}, diagnose.StandingPartial},
		"load, all of it": {report.Result{Status: report.StatusOK, Data: &report.MediaLoad{UpKbps: new(5000.0), DownKbps: new(9000.0),
			LoadedRTTUpMS: new(20.0), LoadedRTTDownMS: new(21.0)}}, report.StatusOK},
		"nothing crashed":       {report.Result{Status: report.StatusOK, Data: &report.HostCrash{Sources: []report.HostSource{{Name: "journal", State: "read"}, {Name: "core_files", State: "absent"}}}}, report.StatusOK},
		"a record not readable": {report.Result{Status: report.StatusOK, Data: &report.HostCrash{Sources: []report.HostSource{{Name: "journal", State: "not_permitted"}, {Name: "core_files", State: "read"}}}}, diagnose.StandingPartial},
		"something crashed":     {report.Result{Status: report.StatusOK, Data: &report.HostCrash{Events: []report.HostEvent{{Kind: report.EventClientCrashed, Program: "Zoom"}}}}, report.StatusWarn},
		"it slept":              {report.Result{Status: report.StatusOK, Data: &report.HostCrash{Events: []report.HostEvent{{Kind: report.EventResume}}}}, report.StatusOK},
		"a fault stays a fault": {report.Result{Status: report.StatusWarn, Data: &report.NATBehavior{Mapping: "APDM"}}, report.StatusWarn},
		"unknown stays unknown": {report.Result{Status: report.StatusUnknown, Data: &report.NATBehavior{Mapping: "EIM"}}, report.StatusUnknown},
		"no data":               {report.Result{Status: report.StatusOK}, report.StatusOK},
		"a typed nil":           {report.Result{Status: report.StatusOK, Data: (*report.AudioOutput)(nil)}, report.StatusOK},
		"other data":            {report.Result{Status: report.StatusOK, Data: &report.NAT{}}, report.StatusOK},
	} {
		if got := diagnose.Standing(c.result); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
