package netbench

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
)

func all(t testing.TB) []Scenario {
	t.Helper()
	s, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScenariosAreSound(t *testing.T) {
	healthy, subset := 0, 0
	titles := map[string]string{}
	for _, s := range all(t) {
		if other, twice := titles[s.Title]; twice {
			t.Errorf("%s and %s have the same title", s.Name, other)
		}
		titles[s.Title] = s.Name
		if s.Expect == Healthy {
			healthy++
		}
		if s.Subset {
			subset++
		}
		if s.Subset && s.Needs != "" {
			t.Errorf("%s is in the subset, but has needs", s.Name)
		}
		if _, known := diagnose.Lookup(s.Expect); !known && s.Expect != Healthy && s.Needs == "" {
			t.Errorf("%s expects %s, which has no rule; state that in needs", s.Name, s.Expect)
		}
		if s.Expect == Healthy && (len(s.Also) > 0 || s.Remark) {
			t.Errorf("%s is healthy, but names a cause", s.Name)
		}
		if _, err := newRoute(s, 1, 0, func(int, packet) {}); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	// Issue 4 requires more than 100 scenarios, a quarter of them healthy.
	if n := len(titles); n < 110 || healthy < max(28, n/4) || subset < 18 || subset > 24 {
		t.Errorf("got %d scenarios, %d healthy, %d in the subset; want 110, a quarter, about 20", n, healthy, subset)
	}
}

const head = "title='t'\nabout='a'\nexpect='healthy'\n"

func TestDirectionsBuildOnEachOther(t *testing.T) {
	s, err := ParseScenario("x", []byte(head+`
[access.both]
delay_ms = 5
loss_pct = 1
[access.up]
loss_pct = 2
[[access.up.later]]
from_s = 3
loss_pct = 7
[[access.up.later]]
from_s = 4.5
delay_ms = 9
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Phase{
		{0, Line{DelayMS: 5, LossPct: 2}},
		{3 * time.Second, Line{DelayMS: 5, LossPct: 7}},
		{4500 * time.Millisecond, Line{DelayMS: 9, LossPct: 7}},
	}
	if len(s.Access.Up) != len(want) {
		t.Fatalf("got %d phases up, want %d", len(s.Access.Up), len(want))
	}
	for i, p := range s.Access.Up {
		if p.From != want[i].From || p.Line.DelayMS != want[i].Line.DelayMS || p.Line.LossPct != want[i].Line.LossPct {
			t.Errorf("phase %d: got %+v, want %+v", i, p, want[i])
		}
	}
	if d := s.Access.Down; len(d) != 1 || d[0].Line.LossPct != 1 || d[0].Line.DelayMS != 5 {
		t.Errorf("down: got %+v; want 1 entry, [0].Line.LossPct 1, [0].Line.DelayMS 5", d)
	}
	if len(s.Lan.Up) != 1 || s.Lan.Up[0].Line.DelayMS != 0 {
		t.Errorf("a segment without settings: got %+v; want 1 entry, [0].Line.DelayMS 0", s.Lan.Up)
	}
}

func TestMistakesInScenariosAreNamed(t *testing.T) {
	for text, word := range map[string]string{
		"":                                                 "title",
		head + "[acces.both]\ndelay_ms=1":                  "strict mode",
		head + "[access.both]\ndelay=1":                    "strict mode",
		head + "[access.up]\nloss_pct=101":                 "loss_pct",
		head + "[access.up]\nloss_pct=nan":                 "loss_pct",
		head + "[access.up]\ndelay_ms=-1":                  "delay_ms",
		head + "[access.up]\ndelay_ms='x'":                 "access.up",
		head + "[access.up]\njitter='wild'":                "jitter",
		head + "[access.up]\njitter_ms=3":                  "jitter",
		head + "[access.up]\nqueue_ms=3":                   "rate_kbps",
		head + "[access.up]\nblock=['sctp']":               "sctp",
		head + "[access.up]\nblock=['udp/70000']":          "70000",
		head + "[access.up]\nmtu=5":                        "mtu",
		head + "[access.up]\nburst_loss_pct=5":             "burst_packets",
		head + "[nat]\nmapping='cone'":                     "mapping",
		head + "[home]\ndown_at_s=4\nup_at_s=3":            "home",
		head + "[home]\nlifetime_s=3":                      "lifetime_s",
		head + "[home]\nlacks='luck'":                      "lacks",
		head + "[collector]\ncertificate='forged'":         "certificate",
		head + "[dns]\nsays='nonsense'":                    "dns",
		head + "[portal]\npage='none'":                     "portal",
		head + "[proxy]\nknown='everywhere'":               "proxy",
		head + "[stun]\nanswers='yes'":                     "stun",
		head + "[collector]\nturn='around'":                "collector",
		head + "[collector]\nstatus=200":                   "collector",
		head + "[collector]\nreflector='asleep'":           "collector",
		head + "[cgnat]\nshows='nobody'":                   "shows",
		head + "[portal]\n[inspection]":                    "inspection",
		head + "[cgnat]\nlifetime_s=-1":                    "lifetime_s",
		head + "[dns]\nfails='maybe'":                      "dns",
		head + "[[access.up.later]]\nloss_pct=1":           "follow each other",
		head + "[access.up]\nlater=3":                      "later",
		head + "[[access.up.later]]\nfrom_s='noon'":        "noon",
		head + "[access.up]\njitter='spikes'\njitter_ms=1": "spike_pct",
		head + "[access.up]\nreorder_pct=1":                "reorder_ms",
		head + "[access.up]\njitter='stalls'\njitter_ms=1": "stall_every_ms",
	} {
		_, err := ParseScenario("x", []byte(text))
		if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "scenario x") {
			t.Errorf("%q: got error %v, want one with %q", text, err, word)
		}
	}
}

func FuzzParseScenario(f *testing.F) {
	names, err := filepath.Glob("scenarios/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseScenario("fuzz", b)
		if err != nil {
			return
		}
		r, err := newRoute(s, 1, 0, func(int, packet) {})
		if err != nil {
			t.Fatalf("parsed, but invalid: %v", err)
		}
		for i := range 20 {
			r.send(atHome, udp(home(uint16(i)), server(3480), i*50), int64(i)*1e6)
		}
	})
}

// lineOf returns a lane with a fixed seed.
func lineOf(t *testing.T, l Line) *lane {
	t.Helper()
	if err := l.validate(); err != nil {
		t.Fatal(err)
	}
	p, err := newLane(l, rand.New(rand.NewPCG(7, 7)), 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
