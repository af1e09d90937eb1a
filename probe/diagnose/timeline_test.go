package diagnose

import (
	"reflect"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestMomentsHaveTheirLanes(t *testing.T) {
	at := time.Date(2026, 3, 4, 17, 30, 0, 0, time.UTC)
	r := &report.Report{Probes: []report.Result{
		{Name: report.ProbeHostCrash, Data: &report.HostCrash{Events: []report.HostEvent{
			{At: at, Kind: report.EventClientCrashed, Program: "zoom"}, {At: at, Kind: report.EventWiFiDropped}, {At: at, Kind: report.EventDeviceUnplugged},
			{At: at, Kind: report.EventResume}, {At: at, Kind: "made_up"}}}},
		{Name: report.ProbeHostHistory, Data: &report.HostHistory{At: at, Kind: report.EventLinkChanged}},
		{Name: report.ProbeHostCrash}, {Name: "x", Data: (*report.HostHistory)(nil)},
	}}
	want := []Moment{
		{at, LaneProgram, report.EventClientCrashed, "zoom", true}, {at, LaneNetwork, report.EventWiFiDropped, "", true}, {at, LaneDevice, report.EventDeviceUnplugged, "", true},
		{at, LaneProgram, report.EventResume, "", false}, {at, LaneProgram, "made_up", "", false}, {at, LaneNetwork, report.EventLinkChanged, "", false},
	}
	if got := Moments(r); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestSnapshotKeepsWhatWasMeasured(t *testing.T) {
	empty := SnapshotOf(&report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput}, {Data: (*report.MediaVoice)(nil)}}})
	if !reflect.DeepEqual(empty, Snapshot{}) {
		t.Errorf("without events: got %+v, want %+v", empty, Snapshot{})
	}
	r := &report.Report{
		Probes: []report.Result{
			{Name: report.ProbeAudioInput, Data: &report.AudioInput{Device: "Headset", ActiveLevelDBFS: new(-50.0), OSMuted: new(false)}},
			{Name: report.ProbeNetworkLink, Data: &report.NetworkLink{Kind: "wifi"}},
			{Name: report.ProbeMediaVoice, Data: &report.MediaVoice{UpLossPct: new(1.0), DownLossPct: new(4.0), RTTP50MS: new(20.0)}},
		},
		Causes: []report.Cause{{Severity: report.SeverityWarn, Evidence: []report.Evidence{{Probe: report.ProbeAudioInput, Field: "active_level_dbfs"}}},
			{Severity: report.SeverityInfo, Evidence: []report.Evidence{{Probe: report.ProbeMediaVoice, Field: "down_loss_pct"}}}},
	}
	s := SnapshotOf(r)
	if s.Link != "wifi" || *s.VoiceDBFS != -50 || !s.LevelBad || *s.LossPct != 4 || s.LossBad || *s.RTTMS != 20 || s.Microphone != "Headset" || *s.Muted {
		t.Errorf("got snapshot %+v, want the values of the report and only the level bad", s)
	}
	later := Snapshot{Link: "ethernet"}.After(s)
	if later.Link != "ethernet" || later.Microphone != "Headset" || later.Muted == nil || later.VoiceDBFS != nil {
		t.Errorf("got a later snapshot %+v; want Link %q, Microphone %q, Muted set, no VoiceDBFS", later, "ethernet", "Headset")
	}
}

func TestMissing(t *testing.T) {
	absent, noConference := Missing(&report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput}, {Name: report.ProbeNetworkWeb}}})
	if !reflect.DeepEqual(absent, []string{report.ProbeMediaVoice}) || !noConference {
		t.Errorf("got missing probes %q, conference missing %v; want %q, true", absent, noConference, []string{report.ProbeMediaVoice})
	}
	absent, noConference = Missing(&report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput}, {Name: report.ProbeNetworkWeb}, {Name: report.ProbeMediaVoice}, {Data: &report.Conference{}}}})
	if len(absent) > 0 || noConference {
		t.Errorf("complete check: got missing probes %q, conference missing %v; want none, false", absent, noConference)
	}
}
