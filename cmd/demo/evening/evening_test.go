package evening_test

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/cmd/demo/evening"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
)

var begin = time.Date(2026, 12, 1, 17, 40, 0, 0, time.UTC)

// TestChecksHaveTheDiagnosisOfTheirFault checks each report of the evening by the real rules.
func TestChecksHaveTheDiagnosisOfTheirFault(t *testing.T) {
	primary := map[evening.Fault]string{
		evening.NoFault: "", evening.Muted: "audio.os_muted", evening.LossyWiFi: "net.wifi_weak", evening.ProviderFault: "net.access_loss", evening.Crashed: "host.client_crashed",
	}
	verdict := map[evening.Fault]report.Verdict{
		evening.NoFault: report.Ready, evening.Muted: report.NotReady, evening.LossyWiFi: report.Limited, evening.ProviderFault: report.NotReady, evening.Crashed: report.Ready,
	}
	people, count := evening.People(), map[evening.Fault]int{}
	for _, c := range evening.Script() {
		r := reportOf(t, c, people[c.Person])
		count[c.Fault]++
		cause, _ := r.Primary()
		if len(r.Causes) == 1 && cause.Code == "" {
			cause = r.Causes[0] // a cause that is only a remark is never primary
		}
		if cause.Code != primary[c.Fault] || r.Verdict != verdict[c.Fault] {
			t.Errorf("%s of member %d: got %q, %s; want %q, %s", c.Fault, c.Person, cause.Code, r.Verdict, primary[c.Fault], verdict[c.Fault])
		}
		if c.Fault == evening.ProviderFault && cause.Area != report.AreaProvider {
			t.Errorf("member %d: got the area %s for the fault of the provider, want %s", c.Person, cause.Area, report.AreaProvider)
		}
	}
	want := map[evening.Fault]int{evening.NoFault: 46, evening.Muted: 4, evening.LossyWiFi: 1, evening.ProviderFault: 6, evening.Crashed: 1}
	for fault, n := range want {
		if count[fault] != n {
			t.Errorf("%q: got %d checks, want %d", fault, count[fault], n)
		}
	}
}

func reportOf(t *testing.T, c evening.Check, p evening.Person) *report.Report {
	t.Helper()
	r, err := c.Report(p, uuid.NewString(), "demo", begin.Add(c.At), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOnlyTheProviderIsACommonCause looks for common causes every five seconds, as the collector.
func TestOnlyTheProviderIsACommonCause(t *testing.T) {
	providers, err := fleet.ReadProviders(strings.NewReader(evening.Providers))
	if err != nil {
		t.Fatal(err)
	}
	people := evening.People()
	var all []fleet.Observation
	for _, c := range evening.Script() {
		r := reportOf(t, c, people[c.Person])
		document, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		o, err := fleet.FromDocument(fmt.Sprint(c.Person), begin.Add(c.At), document, providers)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	var last []fleet.Finding
	for at := time.Duration(0); at <= evening.Length+30*time.Minute; at += 5 * time.Second {
		last = fleet.Find(begin.Add(at), all, fleet.Base{})
		for _, f := range last {
			if f.Code != fleet.CodeProvider || f.Key != evening.DisturbedProvider {
				t.Errorf("after %v: got %s %q, want %s %q", at, f.Code, f.Key, fleet.CodeProvider, evening.DisturbedProvider)
			}
		}
		if at == evening.Length && (len(last) != 1 || len(last[0].Affected) != 6) {
			t.Fatalf("at the end of the evening: got %+v, want one common cause with six affected", last)
		}
	}
	if len(last) != 1 {
		t.Errorf("half an hour later: got %+v, want the common cause", last)
	}
}

func TestNobodyLooksReal(t *testing.T) {
	people := evening.People()
	names, phones := map[string]bool{}, map[string]bool{}
	reserved := []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("203.0.113.0/24")}
	for _, p := range people {
		names[p.Name], phones[p.Phone] = true, true
		if _, family, _ := strings.Cut(p.Name, " "); !slices.Contains([]string{"Beispiel", "Musterperson", "Probe", "Vorlage", "Platzhalter", "Attrappe"}, family) {
			t.Errorf("%q looks like a name", p.Name)
		}
		if !strings.HasPrefix(p.Phone, "030 23125 ") || len(p.Phone) != len("030 23125 000") {
			t.Errorf("%q is not a telephone number for films", p.Phone)
		}
		if !slices.ContainsFunc(reserved, func(r netip.Prefix) bool { return r.Contains(p.Network.Addr()) }) {
			t.Errorf("%s can be somebody's network", p.Network)
		}
	}
	if len(names) != evening.Size || len(phones) != evening.Size {
		t.Errorf("got %d names and %d numbers, want %d of each", len(names), len(phones), evening.Size)
	}
}

func TestSessionIsSoonAndToday(t *testing.T) {
	for _, c := range []struct{ now, want string }{
		{"16:30", "18:00"}, {"17:54", "18:00"}, {"17:58", "18:15"}, {"09:02", "09:15"}, {"19:00", "19:15"},
		{"23:50", "23:50"}, {"00:01", "00:15"}, {"12:44", "13:00"},
	} {
		now, err := time.Parse("2006-01-02 15:04", "2026-12-01 "+c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := evening.SessionStart(now).Format("15:04"); got != c.want {
			t.Errorf("at %s: got a session at %s, want %s", c.now, got, c.want)
		}
	}
}
