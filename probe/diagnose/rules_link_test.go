package diagnose_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestLinkRulesAtTheirEdges checks each rule of the link and of the line at its limits; "" means no
// cause.
func TestLinkRulesAtTheirEdges(t *testing.T) {
	tests := map[string]struct {
		change   func(*report.Report)
		code     string
		severity report.Severity
	}{
		"signal at the limit":         {func(r *report.Report) { link(r).SignalDBM = new(-75.0) }, "", ""},
		"weak, nothing lost":          {func(r *report.Report) { link(r).SignalDBM = new(-80.0) }, "net.wifi_weak", report.SeverityInfo},
		"weak, on a cable":            {func(r *report.Report) { link(r).SignalDBM, link(r).Kind = new(-80.0), "ethernet" }, "", ""},
		"weak, voice lost":            {func(r *report.Report) { link(r).SignalDBM = new(-80.0); upLoss(r) }, "net.wifi_weak", report.SeverityFail},
		"lan, voice lost nothing":     {func(r *report.Report) { path(r).FaultSegment = "lan" }, "net.lan_loss", report.SeverityInfo},
		"lan, no voice":               {func(r *report.Report) { path(r).FaultSegment = "lan"; media(r, report.MediaNotEnrolled) }, "net.lan_loss", report.SeverityWarn},
		"router limits":               {func(r *report.Report) { link(r).GatewayLossPct = new(60.0) }, "", ""},
		"router limits, path unknown": {func(r *report.Report) { link(r).GatewayLossPct, path(r).FaultSegment = new(60.0), "" }, "", ""},
		"router and voice lose, path unknown": {func(r *report.Report) {
			link(r).GatewayLossPct, path(r).FaultSegment = new(30.0), ""
			upLoss(r)
		}, "net.lan_loss", report.SeverityFail},
		"router and voice lose, path clear": {func(r *report.Report) { link(r).GatewayLossPct = new(30.0); upLoss(r) }, "net.upload_loss", report.SeverityFail},
		"one of twenty, and voice": {func(r *report.Report) {
			link(r).GatewayLossPct, path(r).FaultSegment = new(5.0), ""
			upLoss(r)
		}, "net.upload_loss", report.SeverityFail},
		"transit, no voice":   {func(r *report.Report) { path(r).FaultSegment = "transit"; media(r, report.MediaNotEnrolled) }, "net.access_loss", report.SeverityWarn},
		"access, voice kept":  {func(r *report.Report) { path(r).FaultSegment = "access" }, "net.access_loss", report.SeverityInfo},
		"path unknown":        {func(r *report.Report) { path(r).FaultSegment = "" }, "", ""},
		"up 500":              {func(r *report.Report) { load(r).UpKbps = new(500.0) }, "", ""},
		"up 499":              {func(r *report.Report) { load(r).UpKbps = new(499.0) }, "net.bandwidth_low_up", report.SeverityWarn},
		"up 99":               {func(r *report.Report) { load(r).UpKbps = new(99.0) }, "net.bandwidth_low_up", report.SeverityFail},
		"down 1000":           {func(r *report.Report) { load(r).DownKbps = new(1000.0) }, "", ""},
		"down 0":              {func(r *report.Report) { load(r).DownKbps = new(0.0) }, "net.bandwidth_low_down", report.SeverityFail},
		"rise of 200 ms":      {func(r *report.Report) { load(r).LoadedRTTDownMS = new(219.0) }, "", ""},
		"rise of 201 ms":      {func(r *report.Report) { load(r).LoadedRTTDownMS = new(220.0) }, "net.bufferbloat", report.SeverityWarn},
		"long even when idle": {func(r *report.Report) { *load(r) = report.MediaLoad{IdleRTTMS: new(600.0), LoadedRTTUpMS: new(650.0)} }, "", ""},
		"no idle round trip":  {func(r *report.Report) { *load(r) = report.MediaLoad{LoadedRTTUpMS: new(900.0)} }, "", ""},
		"name in 1 s":         {func(r *report.Report) { web(r).DNSMS = new(1000.0) }, "", ""},
		"WebSocket unknown":   {func(r *report.Report) { web(r).WebSocket = nil }, "", ""},
		"IPv6 not compared":   {func(r *report.Report) { link(r).IPv6, link(r).IPv6Reached = new(false), nil }, "", ""},
		"nothing measured": {func(r *report.Report) {
			*link(r), *path(r), *load(r) = report.NetworkLink{}, report.NetworkPath{}, report.MediaLoad{}
		}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if tt.code == "" {
				if len(causes) != 0 {
					t.Errorf("got causes %q, want none", codes(causes))
				}
				return
			}
			if !slices.Equal(codes(causes), []string{tt.code}) || causes[0].Severity != tt.severity {
				t.Errorf("got causes %+v, want %s as %s", causes, tt.code, tt.severity)
			}
		})
	}
}

func TestServerLossIsNotTheCouncillors(t *testing.T) {
	for name, want := range map[string]report.Area{"bbb": report.AreaMunicipality, "zoom": profile(t, "zoom").ServerArea} {
		r := healthy()
		path(r).FaultSegment = "server"
		causes, _ := diagnose.Diagnose(r, profile(t, name))
		if len(causes) != 1 || causes[0].Area != want {
			t.Errorf("%s: got %+v, want area %s", name, causes, want)
		}
	}
}

// TestEvidenceIsNotRepeated: the loss to the router is evidence of its own, and shows the place of
// the loss of the voice.
func TestEvidenceIsNotRepeated(t *testing.T) {
	r := healthy()
	link(r).SignalDBM, link(r).GatewayLossPct, link(r).GatewaySent, path(r).FaultSegment = new(-88.0), new(30.0), new(80), ""
	upLoss(r)
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	seen := map[string]bool{}
	for _, e := range causes[0].Evidence {
		if key := fmt.Sprint(e.Probe, " ", e.Field, " ", e.Value); seen[key] {
			t.Errorf("%s: %s is repeated", causes[0].Code, key)
		} else {
			seen[key] = true
		}
	}
	if !seen["network.link gateway_loss_pct 30"] {
		t.Errorf("got %+v, want the loss to the router", causes[0])
	}
}
