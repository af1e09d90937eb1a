package check

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

const listOfTargets = `{"targets":[
 {"name":"Rathaus","system":"bbb","url":"https://konferenz.example.org","profile":"zoom"},
 {"name":"lk","system":"livekit","url":"wss://sound.example.org/livekit","profile":"of a later version","room":{"name":"r","publish_token":"p","subscribe_token":"s"}}]}`

// collectorWith returns a collector that responds to the request for targets.
func collectorWith(t *testing.T, status int, body string) *Collector {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+wire.PathTargets || r.Header.Get("Authorization") != "Bearer token" {
			t.Errorf("got %s %s, want a request for %s with the token", r.Method, r.URL, wire.PathTargets)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return &Collector{URL: s.URL, Token: "token"}
}

func resolve(t *testing.T, o Options) (Options, error) {
	t.Helper()
	o = o.withDefaults()
	env, err := o.env()
	if err != nil {
		t.Fatal(err)
	}
	return o.resolveTarget(t.Context(), env)
}

func TestNameOfATarget(t *testing.T) {
	c := collectorWith(t, http.StatusOK, listOfTargets)
	var learnt wire.Targets
	o, err := resolve(t, Options{Target: "rathaus", Collector: c, LearnTargets: func(t wire.Targets) { learnt = t }})
	if err != nil || o.Target != "https://konferenz.example.org/bigbluebutton" || o.targetSystem != "bbb" || o.Profile != "zoom" || o.room != nil {
		t.Errorf("got %q %q %q %v, error %v; want %q, %q, %q, nil", o.Target, o.targetSystem, o.Profile, o.room, err, "https://konferenz.example.org/bigbluebutton", "bbb", "zoom")
	}
	if len(learnt.Targets) != 2 || learnt.Targets[1].Room != nil {
		t.Errorf("got learned targets %+v, want two without a room in the second", learnt)
	}
	o, err = resolve(t, Options{Target: "lk", Collector: c, Profile: "strict"})
	if err != nil || o.Target != "https://sound.example.org/livekit/rtc" || o.Profile != "strict" || o.room == nil || o.room.Publish != "p" {
		t.Errorf("got %q %q %v, error %v; want %q, %q, non-nil, Publish %q", o.Target, o.Profile, o.room, err, "https://sound.example.org/livekit/rtc", "strict", "p")
	}
	o, err = resolve(t, Options{Target: "https://bbb.example.org", Collector: c})
	if err != nil || o.Target != "https://bbb.example.org" || o.targetSystem != "" {
		t.Errorf("an address: got %q, error %v; want the address and no system", o.Target, err)
	}
}

func TestUnknownTargetNames(t *testing.T) {
	unknown, ok := errors.AsType[*UnknownTargetError](second(resolve(t, Options{Target: "Dom", Collector: collectorWith(t, http.StatusOK, listOfTargets)})))
	if !ok || !reflect.DeepEqual(unknown, &UnknownTargetError{Name: "Dom", Known: []string{"Rathaus", "lk"}}) {
		t.Errorf("got %+v, want Dom not to be among Rathaus, lk", unknown)
	}
	unknown, ok = errors.AsType[*UnknownTargetError](second(resolve(t, Options{Target: "Dom", Collector: collectorWith(t, http.StatusNotFound, "")})))
	if !ok || len(unknown.Known) != 0 {
		t.Errorf("a collector of an older version: got %+v, want no known names", unknown)
	}
	for _, c := range []*Collector{nil, {URL: "https://collector.example.org"}} {
		if _, ok := errors.AsType[*NotEnrolledError](second(resolve(t, Options{Target: "Dom", Collector: c}))); !ok {
			t.Errorf("%+v: got no *NotEnrolledError without a token", c)
		}
	}
}

func second(_ Options, err error) error { return err }

// Without a response of the collector, the check runs without credentials.
func TestCollectorDoesNotReturnTheTarget(t *testing.T) {
	known, err := wire.ParseTargets([]byte(listOfTargets))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Collector{
		"down": {URL: "http://127.0.0.1:1", Token: "token"}, "failing": collectorWith(t, http.StatusServiceUnavailable, "<html>"),
		"not ours": collectorWith(t, http.StatusUnauthorized, ""), "another server": collectorWith(t, http.StatusOK, "<html>"),
	} {
		o, err := resolve(t, Options{Target: "Rathaus", Collector: c, KnownTargets: WithoutCredentials(*known), LearnTargets: func(wire.Targets) { t.Errorf("%s: targets were learned", name) }})
		if err != nil || o.targetSystem != "bbb" {
			t.Errorf("%s: got %q, error %v; want %q", name, o.targetSystem, err, "bbb")
		}
		o, err = resolve(t, Options{Target: "Dom", Collector: c, KnownTargets: *known})
		if err != nil || o.Target != "" || o.targetSystem != "" {
			t.Errorf("%s, of an unknown name: got %q, error %v; want no target", name, o.Target, err)
		}
	}
}

func TestStoppedWhileTheTargetIsAskedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Target: "Rathaus", Collector: collectorWith(t, http.StatusOK, listOfTargets), Plan: probe.Plan{}}); !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
}

// The report of a named target contains only the address of its web server.
func TestReportOfANamedTarget(t *testing.T) {
	r, err := Run(t.Context(), Options{Target: "Rathaus", Collector: collectorWith(t, http.StatusOK, listOfTargets),
		Plan: probe.Plan{after(report.ProbeNAT, 0)}})
	if err != nil || r.Target != "https://konferenz.example.org" || r.Profile != "zoom" {
		t.Errorf("got %+v, error %v; want target https://konferenz.example.org, profile zoom", r, err)
	}
}

// A name is never an address, so each text has one meaning.
func TestNamesAreNotAddresses(t *testing.T) {
	for _, name := range []string{"rathaus", "Rat Köln", "bbb", "A1", "x_y-z", "10", "１０"} {
		if !wire.IsTargetName(name) {
			t.Errorf("%q is not a name", name)
		}
		if u, err := conference.Parse(name); err == nil {
			t.Errorf("conference.Parse(%q) = %s, want an error: it is a name", name, u)
		}
	}
	for _, shortcut := range []string{"zoom", "youtube", "localhost"} {
		if _, err := conference.Parse(shortcut); err != nil || wire.IsTargetName(shortcut) {
			t.Errorf("%q: got error %v; want an address and no name of a target", shortcut, err)
		}
	}
	if len(wire.TargetSystems()) != len(conference.Systems()) {
		t.Error("not every system can be a target")
	}
	for _, name := range wire.TargetSystems() {
		if _, err := conference.ReduceFor(name, "https://x.example.org"); err != nil {
			t.Errorf("%s: got error %v, want nil", name, err)
		}
	}
}

// TestLimitsOfTheCollector: the limits of the collector are used and named in the report,
// together with the values that explain it later. If a person chose a profile, or the
// limits cannot be read, those of the shipped profile apply.
func TestLimitsOfTheCollector(t *testing.T) {
	list := func(profile, toml string) string {
		return `{"targets":[{"name":"Rathaus","system":"bbb","url":"https://konferenz.example.org","profile":"` + profile + `"}],
			"profiles":[{"name":"rathaus","toml":"` + toml + `"}]}`
	}
	const own = `source = 'Rat'\n[voice.rtt_ms]\nwarn = 300\nsource = 'x'\n[voice.later]\nwarn = 1`
	for name, c := range map[string]struct {
		list, chosen, want string
		changed            int
	}{
		"own":                {list("rathaus", own), "", "rathaus", 1},
		"chosen by a person": {list("rathaus", own), "strict", "strict", 0},
		"broken":             {list("rathaus", "x"), "", "bbb", 0},
		"shipped":            {list("zoom", own), "", "zoom", 0},
		"of a later version": {list("later", own), "", "bbb", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var learnt wire.Targets
			o := Options{Target: "Rathaus", Profile: c.chosen, Collector: collectorWith(t, http.StatusOK, c.list), LearnTargets: func(t wire.Targets) { learnt = t }, Plan: probe.Plan{after(report.ProbeNAT, 0)}}
			r, err := Run(t.Context(), o)
			if err != nil || r.Profile != c.want || (r.Limits == nil) != (c.changed == 0) {
				t.Fatalf("got %+v, error %v; want the profile %s, own limits: %v", r, err, c.want, c.changed != 0)
			}
			if c.changed > 0 && (len(r.Limits.Changed) != c.changed || r.Limits.Base != "bbb" || *diagnose.ProfileOf(r).Voice.RTTMS.Warn != 300) {
				t.Errorf("got limits %+v, want %d changed ones of bbb with a round trip of 300 ms", r.Limits, c.changed)
			}
			// They are also known while the collector is unreachable.
			o.Collector, o.KnownTargets = collectorWith(t, http.StatusServiceUnavailable, ""), learnt
			if r, err := Run(t.Context(), o); err != nil || r.Profile != c.want {
				t.Errorf("without the collector: got %+v, error %v; want Profile %v", r, err, c.want)
			}
		})
	}
}
