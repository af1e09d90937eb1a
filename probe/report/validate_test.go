package report

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesTheField(t *testing.T) {
	cause := func(r *Report) *Cause { return &r.Causes[0] }
	place := func(probe string) string { return indexed("probes", KnownProbes().Index(probe)) }
	for name, c := range map[string]struct {
		spoil func(r *Report)
		field string
	}{
		"random uuid":          {func(r *Report) { r.ID = r.Agent.ID }, "id"},
		"upper-case uuid":      {func(r *Report) { r.ID = strings.ToUpper(r.ID) }, "id"},
		"case without dash":    {func(r *Report) { r.Case = "K7P3QX" }, "case"},
		"case and line break":  {func(r *Report) { r.Case = "K7P-3QX\n" }, "case"},
		"unknown trigger":      {func(r *Report) { r.Trigger = "cron" }, "trigger"},
		"no verdict":           {func(r *Report) { r.Verdict = "" }, "verdict"},
		"script as profile":    {func(r *Report) { r.Profile = "<script>" }, "profile"},
		"target with user":     {func(r *Report) { r.Target = "https://anna@bbb.example.org" }, "target"},
		"target with path":     {func(r *Report) { r.Target = "https://bbb.example.org/b/ann-a1b" }, "target"},
		"agent not a uuid":     {func(r *Report) { r.Agent.ID = "annas-pc" }, "agent.id"},
		"right-to-left":        {func(r *Report) { r.Agent.Version = "1.0\u202e" }, "agent.version"},
		"10 MB":                {func(r *Report) { r.Agent.Version = strings.Repeat("x", 10<<20) }, "agent.version"},
		"no time":              {func(r *Report) { r.StartedAt = time.Time{} }, "started_at"},
		"negative duration":    {func(r *Report) { r.DurationMS = -1 }, "duration_ms"},
		"duration of a year":   {func(r *Report) { r.DurationMS = 365 * 24 * 3600 * 1000 }, "duration_ms"},
		"too many probes":      {func(r *Report) { r.Probes = make([]Result, maxItemsOf("probes")+1) }, "probes"},
		"too many causes":      {func(r *Report) { r.Causes = make([]Cause, maxItemsOf("causes")+1) }, "causes"},
		"probe twice":          {func(r *Report) { r.Probes = append(r.Probes, r.Probes[0]) }, fmt.Sprintf("probes[%d].name", len(KnownProbes().All()))},
		"data of another":      {func(r *Report) { r.Probes[0].Data = new(NAT) }, "probes[0].data"},
		"bad status":           {func(r *Report) { r.Probes[1].Status = "good" }, "probes[1].status"},
		"hostile probe name":   {func(r *Report) { r.Probes[1].Name = "a/../b" }, "probes[1].name"},
		"long error":           {func(r *Report) { r.Probes[1].Error = strings.Repeat("e", maxErrorText+1) }, "probes[1].error"},
		"infinite number":      {func(r *Report) { part[NAT](t, r).UDPRTTMS = new(math.Inf(1)) }, place(ProbeNAT) + ".data.udp_rtt_ms"},
		"not a number":         {func(r *Report) { part[AudioInput](t, r).SNRDB = new(math.NaN()) }, "probes[0].data.snr_db"},
		"loss of 101 %":        {func(r *Report) { part[MediaVoice](t, r).UpLossPct = new(101.0) }, place(ProbeMediaVoice) + ".data.up_loss_pct"},
		"negative count":       {func(r *Report) { part[MediaVoice](t, r).Sent = new(-1) }, place(ProbeMediaVoice) + ".data.sent"},
		"interval reversed":    {func(r *Report) { part[MediaVoice](t, r).UpLossCI95 = &Interval{2, 1} }, place(ProbeMediaVoice) + ".data.up_loss_pct_ci95"},
		"interval out":         {func(r *Report) { part[MediaVoice](t, r).UpLossCI95 = &Interval{2, 101} }, place(ProbeMediaVoice) + ".data.up_loss_pct_ci95[1]"},
		"empty state":          {func(r *Report) { part[NAT](t, r).UDP = "" }, place(ProbeNAT) + ".data.udp"},
		"address of nonsense":  {func(r *Report) { part[NAT](t, r).PublicAddress = "1.2.3" }, place(ProbeNAT) + ".data.public_address"},
		"device on two lines":  {func(r *Report) { part[AudioInput](t, r).Device = "a\nb" }, "probes[0].data.device"},
		"unknown cause area":   {func(r *Report) { cause(r).Code = "weather.rain" }, "causes[0].code"},
		"too sure":             {func(r *Report) { cause(r).Confidence = 1.01 }, "causes[0].confidence"},
		"not sure":             {func(r *Report) { cause(r).Confidence = math.NaN() }, "causes[0].confidence"},
		"two primary":          {func(r *Report) { r.Causes = append(r.Causes, r.Causes[0]) }, "causes[2].primary"},
		"unknown endpoint":     {func(r *Report) { cause(r).Endpoint = "router" }, "causes[0].endpoint"},
		"too much evidence":    {func(r *Report) { cause(r).Evidence = make([]Evidence, maxItemsOf("causes", "evidence")+1) }, "causes[0].evidence"},
		"evidence is a list":   {func(r *Report) { cause(r).Evidence[0].Value = []any{1.0} }, "causes[0].evidence[0].value"},
		"evidence is nothing":  {func(r *Report) { cause(r).Evidence[0].Value = nil }, "causes[0].evidence[0].value"},
		"evidence is too long": {func(r *Report) { cause(r).Evidence[0].Value = strings.Repeat("x", 201) }, "causes[0].evidence[0].value"},
		"evidence is infinite": {func(r *Report) { cause(r).Evidence[0].Value = math.Inf(-1) }, "causes[0].evidence[0].value"},
	} {
		t.Run(name, func(t *testing.T) {
			r := full(t)
			c.spoil(r)
			e, ok := errors.AsType[*ValidationError](r.Validate())
			if !ok || e.Field != c.field {
				t.Errorf("got error %v, want a ValidationError for %s", e, c.field)
			}
			if ok && len(e.Error()) > 300 {
				t.Errorf("the error message has %d bytes, want at most 300", len(e.Error()))
			}
		})
	}
}

func TestValidateAcceptsUnusualValues(t *testing.T) {
	for name, spoil := range map[string]func(r *Report){
		"clock before 1970":        func(r *Report) { r.StartedAt = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC) },
		"not enrolled":             func(r *Report) { r.Agent.ID = "" },
		"nothing measured":         func(r *Report) { r.Probes = nil },
		"hostile but harmless":     func(r *Report) { part[AudioInput](t, r).Device = "<script>alert(1)</script>" },
		"nil data":                 func(r *Report) { r.Probes[KnownProbes().Index(ProbeNAT)].Data = (*NAT)(nil) },
		"target with port":         func(r *Report) { r.Target = "https://[2001:db8::1]:8443" },
		"evidence is an int":       func(r *Report) { r.Causes[0].Evidence[0].Value = 3 },
		"evidence of a named type": func(r *Report) { r.Causes[0].Evidence[0].Value = ReachBlocked },
	} {
		r := full(t)
		spoil(r)
		if err := r.Validate(); err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
		}
	}
}
