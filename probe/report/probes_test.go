package report

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// madeUp is the data of a probe that this version does not have.
type madeUp struct {
	Device   string        `json:"device" private:"device" show:"details"`
	FanPct   *float64      `json:"fan_pct,omitempty" show:"details dashboard"`
	Weather  string        `json:"weather,omitempty" oneof:"sun rain" show:"dashboard"`
	Readings []madeUpEntry `json:"readings,omitempty" max:"2" show:"never"`
	Outlet   *madeUpEntry  `json:"outlet,omitempty" show:"never"`
}

type madeUpEntry struct {
	Address string   `json:"address,omitempty" form:"net" private:"address" show:"never"`
	SoundDB *float64 `json:"sound_db,omitempty" show:"never"`
}

func withMadeUp(t *testing.T) Probes {
	t.Helper()
	probes, err := KnownProbes().With(Probe{Name: "host.fan", Data: (*madeUp)(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return probes
}

// TestDescribedProbeIsTransmitted: one description is sufficient to encode, decode,
// validate and redact a probe's data. A program without it drops the data.
func TestDescribedProbeIsTransmitted(t *testing.T) {
	probes := withMadeUp(t)
	r := full(t)
	r.Probes = append(r.Probes, Result{Name: "host.fan", Version: 1, Status: StatusWarn, StartedAt: r.StartedAt, Data: &madeUp{
		Device: "Anna's fan", FanPct: new(93.0), Weather: "rain",
		Readings: []madeUpEntry{{Address: "203.0.113.77", SoundDB: new(math.Inf(-1))}, {SoundDB: new(math.NaN())}, {}},
		Outlet:   &madeUpEntry{Address: "198.51.100.4"},
	}})
	b, err := json.Marshal(probes.Redact(r, Policy{}).withoutNilLists())
	if err != nil {
		t.Fatal(err)
	}
	back, err := probes.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want := &madeUp{Device: "fan", FanPct: new(93.0), Weather: "rain",
		Readings: []madeUpEntry{{Address: "203.0.113.0/24", SoundDB: new(-300.0)}, {}},
		Outlet:   &madeUpEntry{Address: "198.51.100.0/24"}}
	if got := Find[madeUp](back); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if other, err := Decode(b); err != nil || Find[madeUp](other) != nil {
		t.Errorf("without a description: got %v, error %v; want nil", Find[madeUp](other), err)
	}
	if d := KnownProbes().Redact(r, Policy{}).Probes; d[len(d)-1].Data != nil {
		t.Error("data without a description was not dropped")
	}
	for name, spoil := range map[string]func(*madeUp){
		"fan_pct":             func(d *madeUp) { d.FanPct = new(101.0) },
		"weather":             func(d *madeUp) { d.Weather = "snow" },
		"readings":            func(d *madeUp) { d.Readings = make([]madeUpEntry, 3) },
		"readings[1].address": func(d *madeUp) { d.Readings[1].Address = "1.2.3" },
		"outlet.sound_db":     func(d *madeUp) { d.Outlet.SoundDB = new(301.0) },
	} {
		again, _ := probes.Decode(b)
		spoil(Find[madeUp](again))
		err, _ := probes.Validate(again).(*ValidationError)
		if want := indexed("probes", len(again.Probes)-1) + ".data." + name; err == nil || err.Field != want {
			t.Errorf("got error %[2]v, want field %[1]s", want, err)
		}
	}
}

func TestDescriptionContainsWhatScreensNeed(t *testing.T) {
	probes := withMadeUp(t)
	p, ok := probes.Find("host.fan")
	if !ok || probes.Index("host.fan") != len(KnownProbes().All()) || KnownProbes().Index("host.fan") != -1 {
		t.Fatal("the set does not contain the probe, or the known probes were modified")
	}
	f, _ := p.Field("fan_pct")
	if f.Kind != KindNumber || f.Unit != "%" || f.Range != (Range{0, 100}) || f.LabelKey != "field.host.fan.fan_pct" {
		t.Errorf("got field %+v; want Kind %v, Unit %q, Range %v, LabelKey %q", f, KindNumber, "%", (Range{0, 100}), "field.host.fan.fan_pct")
	}
	names := func(fields []Field) (names []string) {
		for _, f := range fields {
			names = append(names, f.Name)
		}
		return names
	}
	if got := names(p.Shown(Dashboard)); !slices.Equal(got, []string{"fan_pct", "weather"}) {
		t.Errorf("on the dashboard: got %q, want [\"fan_pct\" \"weather\"]", got)
	}
	if got := names(p.Shown(Summary)); got != nil {
		t.Errorf("in the summary: got %q, want nil", got)
	}
	if readings, _ := p.Field("readings"); readings.Kind != KindList || readings.Fields[1].LabelKey != "field.host.fan.readings.sound_db" {
		t.Errorf("got field %+v, want a list with its own label keys", readings)
	}
}

func TestIncompleteDescriptionsAreRefused(t *testing.T) {
	for want, p := range map[string]Probe{
		"not a pointer to a struct": {Name: "host.fan", Data: madeUp{}},
		"the name is taken":         {Name: ProbeNAT, Data: (*madeUp)(nil)},
		"the wrong form":            {Name: "Host Fan", Data: (*madeUp)(nil)},
		"has no json name": {Name: "host.fan", Data: (*struct {
			A *bool `show:"never"`
		})(nil)},
		"where it is shown": {Name: "host.fan", Data: (*struct {
			A *bool `json:"a"`
		})(nil)},
		`unknown place "screen"`: {Name: "host.fan", Data: (*struct {
			A *bool `json:"a" show:"details screen"`
		})(nil)},
		`an unknown server "elsewhere"`: {Name: "host.fan", Data: (*struct {
			A *bool `json:"a" show:"never" against:"elsewhere"`
		})(nil)},
		"neither a unit nor a range": {Name: "host.fan", Data: (*struct {
			A *float64 `json:"a" show:"never"`
		})(nil)},
		"read the range": {Name: "host.fan", Data: (*struct {
			A *int `json:"a" range:"low..9" show:"never"`
		})(nil)},
		"a list without max": {Name: "host.fan", Data: (*struct {
			A []madeUpEntry `json:"a" show:"never"`
		})(nil)},
		`unknown form "poem"`: {Name: "host.fan", Data: (*struct {
			A string `json:"a" form:"poem" show:"never"`
		})(nil)},
		`unknown list "people"`: {Name: "host.fan", Data: (*struct {
			A string `json:"a" list:"people" show:"never"`
		})(nil)},
		`personal data "pet"`: {Name: "host.fan", Data: (*struct {
			A string `json:"a" private:"pet" show:"never"`
		})(nil)},
		"cannot contain a map": {Name: "host.fan", Data: (*struct {
			A map[string]int `json:"a" show:"never"`
		})(nil)},
	} {
		if _, err := KnownProbes().With(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

// TestRangesEndAtTheSameValue: Validate and the published schema have the same limits
// for every number.
func TestRangesEndAtTheSameValue(t *testing.T) {
	schema := compiled(t)
	accepted := func(r *Report) (bySchema, byUs bool) {
		b, err := json.Marshal(r.withoutNilLists())
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc) == nil, r.Validate() == nil
	}
	numbers := 0
	for i, p := range KnownProbes().All() {
		for _, f := range p.Fields() {
			if f.Kind != KindCount && f.Kind != KindNumber {
				continue
			}
			numbers++
			for v, want := range map[float64]bool{f.Range.Low: true, f.Range.High: true, f.Range.Low - 1: false, f.Range.High + 1: false} {
				r := full(t)
				r.Probes, r.Causes, r.Verdict = r.Probes[i:i+1], nil, Unknown
				to := reflect.ValueOf(r.Probes[0].Data).Elem().Field(f.index).Elem()
				if f.Kind == KindCount {
					to.SetInt(int64(v))
				} else {
					to.SetFloat(v)
				}
				if bySchema, byUs := accepted(r); bySchema != want || byUs != want {
					t.Errorf("%s.%s = %g: schema %t, Validate %t, want %t", p.Name, f.Name, v, bySchema, byUs, want)
				}
			}
		}
	}
	if numbers < 100 {
		t.Fatalf("only %d numbers found", numbers)
	}
}

// TestErrorTextFitsItsField: ErrorText truncates to the limit of the field.
func TestErrorTextFitsItsField(t *testing.T) {
	p := documentFields()[slices.IndexFunc(documentFields(), func(f Field) bool { return f.Name == "probes" })]
	i := slices.IndexFunc(p.Fields, func(f Field) bool { return f.Name == "error" })
	if p.Fields[i].MaxBytes != maxErrorText {
		t.Errorf("the field permits %d bytes, but ErrorText returns up to %d", p.Fields[i].MaxBytes, maxErrorText)
	}
}
