package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// reports is a list of stored reports, oldest first.
type reports struct {
	all []store.StoredReport
	err error
}

func (r *reports) ReceivedReports(_ context.Context, since time.Time, limit int, each func(store.StoredReport)) error {
	for _, s := range slices.Backward(r.all) {
		if !s.ReceivedAt.Before(since) && limit > 0 {
			limit--
			each(s)
		}
	}
	return r.err
}

// receive stores the check of a participant whose public network has this number. code
// is the cause; "" for none.
func (r *reports) receive(participant string, network int, at time.Time, code, endpoint string) {
	causes := ""
	if code != "" {
		causes = fmt.Sprintf(`{"code":%q,"severity":"fail","endpoint":%q,"area":"municipality"}`, code, endpoint)
	}
	doc := fmt.Sprintf(`{"agent":{"version":"1.4.0","os":"windows"},"target":"https://bbb.example.org",
		"probes":[{"name":"nat","status":"ok","data":{"public_address":"203.%d.113.0/24"}},{"name":"audio.input","status":"ok"},
		{"name":"conference.bbb","status":"ok"},{"name":"network.link","status":"ok"}],"causes":[%s]}`, network, causes)
	s := store.StoredReport{Document: []byte(doc)}
	s.ID, s.ParticipantID, s.CheckedAt, s.ReceivedAt = fmt.Sprintf("r%d", len(r.all)), participant, at, at
	r.all = append(r.all, s)
}

// TestWatchFollowsAFault simulates three hours of a fault of the conference server, in
// which everybody checks every ten minutes, and the time after the repair.
func TestWatchFollowsAFault(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	stored := &reports{}
	changed := 0
	w := &fleet.Watch{Reports: stored, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Changed: func() { changed++ }}
	begin, end := now.Add(time.Hour), now.Add(4*time.Hour)
	for ; now.Before(end.Add(time.Hour)); now = now.Add(time.Minute) {
		for p := range 30 {
			if int(now.Sub(begin)/time.Minute)%10 != p%10 {
				continue
			}
			code := ""
			if !now.Before(begin) && now.Before(end) && p%5 != 0 {
				code = "conf.server_down"
			}
			stored.receive(fmt.Sprintf("p%d", p), p%4, now, code, "conference")
		}
		if err := w.Update(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := w.Findings()
		named := len(found) == 1 && found[0].Code == fleet.CodeServer && found[0].Key == "bbb.example.org"
		switch {
		case now.Before(begin) && len(found) > 0:
			t.Fatalf("%v before the fault: got %+v, want none", begin.Sub(now), found)
		case !now.Before(begin.Add(5*time.Minute)) && now.Before(end) && !named:
			t.Fatalf("%v after its begin: got %+v, want the server", now.Sub(begin), found)
		case !now.Before(end.Add(5*time.Minute)) && len(found) > 0:
			t.Fatalf("%v after its end: got %+v, want none", now.Sub(end), found)
		}
	}
	if changed == 0 {
		t.Error("no change was announced")
	}
	stored.err = errors.New("gone")
	if err := w.Update(t.Context()); !errors.Is(err, stored.err) {
		t.Errorf("without a database: got error %v, want %v", err, stored.err)
	}
}

// TestUnreadableReportHidesNoOther checks that an unreadable report does not hide others.
func TestUnreadableReportHidesNoOther(t *testing.T) {
	now := time.Date(2026, 12, 1, 18, 0, 0, 0, time.UTC)
	stored := &reports{}
	for i, doc := range []string{"", "{", `{"probes":7}`, `{"probes":[{"name":"nat","data":[]}]}`, "null"} {
		s := store.StoredReport{Document: []byte(doc)}
		s.ID, s.ParticipantID, s.CheckedAt, s.ReceivedAt = fmt.Sprintf("bad%d", i), "bad", now, now
		stored.all = append(stored.all, s)
	}
	for p := range 12 {
		stored.receive(fmt.Sprintf("p%d", p), p%6, now, "net.test_server_down", "reflector")
	}
	w := &fleet.Watch{Reports: stored, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	if err := w.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := w.Findings(); len(found) != 1 || found[0].Key != fleet.Own || len(found[0].Affected) != 12 {
		t.Errorf("got findings %+v, want the collector's own server with 12 affected", found)
	}
}

func FuzzFromDocument(f *testing.F) {
	r := &reports{}
	r.receive("p", 1, time.Time{}, "net.upload_loss", "")
	f.Add(r.all[0].Document)
	f.Fuzz(func(t *testing.T, doc []byte) {
		if o, err := fleet.FromDocument("p", time.Time{}, doc, nil); err == nil && o.Found&^o.Measured != 0 {
			t.Errorf("got %b found, but only %b measured, want nothing beyond those", o.Found, o.Measured)
		}
	})
}

func TestFromDocument(t *testing.T) {
	cause := func(code, endpoint, area, severity string) string {
		return fmt.Sprintf(`{"code":%q,"endpoint":%q,"area":%q,"severity":%q}`, code, endpoint, area, severity)
	}
	for _, c := range []struct {
		cause string
		want  fleet.Faults
	}{
		{cause("audio.os_muted", "", "participant", "fail"), fleet.Sound},
		{cause("host.cpu_overload", "", "participant", "warn"), fleet.Program},
		{cause("net.upload_loss", "reflector", "unknown", "fail"), fleet.Line},
		{cause("net.access_loss", "reflector", "provider", "fail"), fleet.Line},
		{cause("net.dns_failure", "", "participant", "fail"), fleet.Line},
		{cause("net.wifi_weak", "", "participant", "fail"), fleet.Local},
		{cause("net.server_loss", "conference", "municipality", "warn"), fleet.Conference},
		{cause("net.test_server_down", "reflector", "municipality", "warn"), fleet.OwnServer},
		{cause("conf.server_down", "conference", "municipality", "fail"), fleet.Conference},
		{cause("conf.server_down", "collector", "municipality", "fail"), fleet.OwnServer},
		{cause("conf.media_ports_blocked", "conference", "participant", "fail"), fleet.Local},
		{cause("net.upload_loss", "reflector", "unknown", "info"), 0},
	} {
		o, err := fleet.FromDocument("p", time.Time{}, []byte(`{"target":"https://bbb.example.org/x","causes":[`+c.cause+`]}`), nil)
		if err != nil || o.Found != c.want || o.Server != "bbb.example.org" {
			t.Errorf("%s: got %b at %q, error %v; want %b", c.cause, o.Found, o.Server, err, c.want)
		}
	}
}

// TestSmallChecksHideNothing: checks of the network alone that follow disturbed checks
// do not describe the conference, and do not indicate that it works again.
func TestSmallChecksHideNothing(t *testing.T) {
	now := time.Date(2026, 12, 1, 18, 0, 0, 0, time.UTC)
	all := fleet.Conference | fleet.Line | fleet.Local
	var checks []fleet.Observation
	for i := range 20 {
		o := fleet.Observation{Participant: fmt.Sprintf("p%d", i), At: now.Add(-5 * time.Minute), Server: "bbb.example.org",
			Provider: fmt.Sprintf("P%d", i%4), Site: fmt.Sprintf("s%d", i), Measured: all}
		if i < 14 {
			o.Found = fleet.Conference
		}
		small := o
		small.At, small.Found, small.Measured = now.Add(-time.Minute), 0, fleet.Local
		checks = append(checks, o, small)
	}
	found := fleet.Find(now, checks, fleet.Base{})
	if len(found) != 1 || found[0].Code != fleet.CodeServer || len(found[0].Affected) != 14 || found[0].Members != 20 {
		t.Errorf("got %+v, want the server with 14 of 20", found)
	}
	doc := `{"target":"https://bbb.example.org","probes":[{"name":"network.web","status":"ok"},{"name":"media.voice","status":"unknown"}]}`
	o, err := fleet.FromDocument("p", now, []byte(doc), nil)
	if err != nil || o.Measured != fleet.Local {
		t.Errorf("a check of the network alone: got measured %b, error %v; want %b", o.Measured, err, fleet.Local)
	}
}
