package systemcode_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestEveryCodeIsSound(t *testing.T) {
	for _, system := range systemcode.Systems() {
		seen := map[string]bool{}
		for _, c := range systemcode.Codes(system) {
			for _, number := range append([]string{c.Number}, c.Aliases...) {
				if seen[number] {
					t.Errorf("%s %s is there twice", system, number)
				}
				seen[number] = true
				for _, lang := range phrase.Langs() {
					m, ok := systemcode.Lookup(system, " "+number+" ", lang)
					if !ok || m.Means == "" || m.Ask == "" {
						t.Errorf("%s %s %s: %+v", lang, system, number, m)
					}
				}
			}
			for _, cause := range c.Causes {
				if _, ok := diagnose.Lookup(cause); !ok {
					t.Errorf("%s %s: there is no cause %s", system, c.Number, cause)
				}
			}
			if c.Area == "" {
				t.Errorf("%s %s has no area", system, c.Number)
			}
		}
	}
}

// 1004 and 1005 changed their meaning.
func TestOlderMeaning(t *testing.T) {
	for _, number := range []string{"1004", "1005", "1305"} {
		if m, ok := systemcode.Lookup("BBB", number, phrase.DE); !ok || m.Older == "" {
			t.Errorf("%s: %+v", number, m)
		}
	}
}

func TestUnknownCodes(t *testing.T) {
	for _, c := range [][2]string{{"bbb", "9999"}, {"bbb", ""}, {"bbb", "x"}, {"zoom", "5003"}, {"", "1007"}} {
		if m, ok := systemcode.Lookup(c[0], c[1], phrase.EN); ok {
			t.Errorf("%v: %+v", c, m)
		}
	}
}

func TestWeigh(t *testing.T) {
	code, _ := systemcode.Lookup("bbb", "1007", phrase.EN)
	good := func(names ...string) *report.Report {
		r := &report.Report{}
		for _, name := range names {
			r.Probes = append(r.Probes, report.Result{Name: name, Status: report.StatusOK})
		}
		return r
	}
	all := []string{report.ProbeNAT, report.ProbeNATTURN, report.ProbeMediaVoice, report.ProbeNetworkWeb, report.ProbeNetworkPath, report.ProbeNATBehavior}
	blocked := good(all...)
	blocked.Causes = []report.Cause{{Code: "net.udp_blocked"}}
	for name, c := range map[string]struct {
		r     *report.Report
		want  systemcode.Answer
		cause string
	}{
		"UDP is blocked":       {blocked, systemcode.Confirmed, "net.udp_blocked"},
		"everything is fine":   {good(all...), systemcode.Refuted, ""},
		"little was measured":  {good(report.ProbeNetworkWeb), systemcode.Open, ""},
		"nothing was measured": {&report.Report{}, systemcode.Open, ""},
		"no report":            {nil, systemcode.Open, ""},
	} {
		if got, cause := systemcode.Weigh(code.Code, c.r); got != c.want || cause != c.cause {
			t.Errorf("%s: %s %s, want %s %s", name, got, cause, c.want, c.cause)
		}
	}
	server, _ := systemcode.Lookup("bbb", "1006", phrase.EN)
	if got, _ := systemcode.Weigh(server.Code, good(all...)); got != systemcode.Open {
		t.Errorf("a fault of the server is %s: a check of the participant cannot refute it", got)
	}
}
