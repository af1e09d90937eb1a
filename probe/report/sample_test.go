package report

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// full returns a report in which every field of every data type is set.
func full(t testing.TB) *Report {
	t.Helper()
	at := time.Date(2026, 3, 4, 17, 55, 1, 123e6, time.UTC)
	id, err := NewID(at, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{
		Schema: SchemaV1, ID: id, Case: "K7P-3QX",
		Agent:   Agent{ID: "6f1d4d1e-6f0c-4a53-9a3c-3c8c7a7a1d11", Version: "1.2.3", OS: "linux", Arch: "amd64"},
		Trigger: TriggerCheck, Profile: "bbb", Target: "https://bbb.example.org",
		StartedAt: at, DurationMS: 13210, FirstVerdictMS: 2900, Verdict: NotReady,
		Causes: []Cause{{
			Code: "audio.os_muted", Severity: SeverityFail, Confidence: 0.97, Primary: true, Area: AreaParticipant,
			Evidence: []Evidence{
				{Probe: ProbeAudioInput, Field: "os_muted", Value: true},
				{Probe: ProbeAudioInput, Field: "active_level_dbfs", Value: -61.5, Unit: "dBFS", Limit: "< -40"},
				{Probe: ProbeNAT, Field: "udp", Value: "blocked"},
			},
		}, {
			Code: "net.udp_blocked", Severity: SeverityWarn, Confidence: 0.85, Area: AreaParticipant, Endpoint: EndpointReflector,
			Evidence: []Evidence{{Probe: ProbeNAT, Field: "udp", Value: "blocked"}},
		}},
	}
	for _, p := range KnownProbes().All() {
		data := p.newData()
		fill(p.fields, data.Elem())
		r.Probes = append(r.Probes, Result{
			Name: p.Name, Version: 1, Status: StatusOK, StartedAt: at, DurationMS: 12, Data: data.Interface(),
		})
	}
	return r
}

// fill sets every field of v to a value that its description allows.
func fill(fields []Field, v reflect.Value) {
	for _, f := range fields {
		to := v.Field(f.index)
		if to.Kind() == reflect.Pointer {
			to.Set(reflect.New(to.Type().Elem()))
			to = to.Elem()
		}
		switch f.Kind {
		case KindFlag:
			to.SetBool(true)
		case KindCount:
			to.SetInt(int64(f.Range.Low) + 1)
		case KindNumber:
			to.SetFloat(f.Range.Low + 0.5)
		case KindInterval:
			to.Set(reflect.ValueOf(Interval{0.5, 1.5}))
		case KindTime:
			to.Set(reflect.ValueOf(time.Date(2026, 3, 4, 17, 55, 1, 0, time.UTC)))
		case KindGroup:
			fill(f.Fields, to)
		case KindList:
			to.Set(reflect.MakeSlice(to.Type(), 2, 2))
			for i := range to.Len() {
				fill(f.Fields, to.Index(i))
			}
		case KindChoice:
			to.SetString(f.Values[0])
		case KindText:
			switch to.SetString("some words"); {
			case f.IsAddress():
				to.SetString("203.0.113.0/24")
			case f.pattern != nil:
				to.SetString("some-word")
			}
		}
	}
}

// part returns the data of type T in r, for a test to modify.
func part[T any](t testing.TB, r *Report) *T {
	t.Helper()
	d := Find[T](r)
	if d == nil {
		t.Fatalf("the sample contains no %s", reflect.TypeFor[T]())
	}
	return d
}
