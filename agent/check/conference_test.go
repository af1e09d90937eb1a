package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestOnlyAPersonCallsTheSystem: checks that nobody at the computer requested use no test
// meeting and make no call, because a session may be in progress.
func TestOnlyAPersonCallsTheSystem(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bigbluebutton/api/join" {
			t.Error("the check joined a meeting")
		}
		_, _ = fmt.Fprint(w, `{"response":{"returncode":"SUCCESS","version":"2.0","bbbVersion":"3.0.1"}}`)
	}))
	t.Cleanup(system.Close)
	for name, c := range map[string]struct {
		trigger report.Trigger
		noAudio bool
		calls   bool
	}{
		"a person":                    {report.TriggerCheck, false, true},
		"a person, no microphone":     {report.TriggerCheck, true, true},
		"no trigger is a person":      {"", false, true},
		"retest with the person":      {report.TriggerSupport, false, true},
		"retest without the person":   {report.TriggerSupport, true, false},
		"background service":          {report.TriggerSchedule, true, false},
		"background, with microphone": {report.TriggerSchedule, false, false},
		"event":                       {report.TriggerEvent, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			joins := ""
			collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				joins = r.URL.Query().Get(wire.ParamJoin)
				_, _ = fmt.Fprintf(w, `{"targets":[{"name":"Rathaus","system":"bbb","url":%q,"profile":"bbb"}]}`, system.URL)
			}))
			t.Cleanup(collector.Close)
			o, err := resolve(t, Options{Target: "Rathaus", Trigger: c.trigger, NoAudio: c.noAudio, Collector: &Collector{URL: collector.URL, Token: "token"}})
			if err != nil || (joins != "") != c.calls {
				t.Fatalf("got a request for a meeting of %q, error %v; want a request: %v", joins, err, c.calls)
			}
			if c.calls {
				return
			}
			// Not even with a link that a collector provides without being asked.
			if o.joinLink, err = url.Parse(system.URL + "/bigbluebutton/api/join?checksum=1"); err != nil {
				t.Fatal(err)
			}
			env, err := o.env()
			if err != nil {
				t.Fatal(err)
			}
			p, err := o.findSystem(context.WithoutCancel(t.Context()), env)
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Run(t.Context(), env)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := r.Data.(*report.Conference)
			if step, _ := d.Check(report.StepCall); d.Media != nil || step.Status != report.StatusUnknown || step.Code != "background" {
				t.Errorf("got %+v, media %+v; want Status %v, Code %q, nil", step, d.Media, report.StatusUnknown, "background")
			}
		})
	}
}

// TestHostileTextOfASystem: the texts of a conference server about itself and its errors
// neither prevent the report nor get into it without validation.
func TestHostileTextOfASystem(t *testing.T) {
	for name, text := range map[string]string{
		"markup": "<script>alert(1)</script>", "right to left": "3.0\u202e0.3", "terminal": "\x1b[2J3.0", "long": strings.Repeat("9", 900<<10),
		"marks": "3" + strings.Repeat("\u0301", 3000), "not UTF-8": "3.0\xff\xfe", "lines": "3.0\nstatus: ok", "quotes": `3.0"'` + "`",
	} {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Hostile", "yes")
				_, _ = fmt.Fprintf(w, `{"response":{"returncode":"SUCCESS","version":%s,"apiVersion":%s,"bbbVersion":%s,"messageKey":%s}}`, quoted, quoted, quoted, quoted)
			}))
			t.Cleanup(system.Close)
			r, err := Run(t.Context(), Options{Target: system.URL + "/bigbluebutton", Only: []string{report.ConferenceGroup}})
			if err != nil {
				t.Fatal(err)
			}
			doc, err := r.Encode()
			if err != nil || len(doc) > 16<<10 {
				t.Errorf("got %d bytes, error %v; want at most 16 KiB", len(doc), err)
			}
			d := report.Find[report.Conference](r)
			if d == nil || strings.ContainsFunc(d.Version+d.Bridge+d.FailedCode, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '"' }) {
				t.Errorf("got %+v, want no space, quotation mark or control character in Version, Bridge and FailedCode", d)
			}
		})
	}
}
