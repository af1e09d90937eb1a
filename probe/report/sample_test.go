package report

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// full is a report in which every field of every data type is set.
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
		}},
	}
	for _, name := range probeNames {
		r.Probes = append(r.Probes, Result{
			Name: name, Version: 1, Status: StatusOK, StartedAt: at, DurationMS: 12, Data: fill(newData(name)),
		})
	}
	return r
}

// fill sets every field of d to a value its rule allows.
func fill(d Data) Data {
	fillFields(reflect.ValueOf(d).Elem())
	if a := publicAddress(d); a != nil {
		*a = "203.0.113.0/24"
	}
	return d
}

func fillFields(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		r := ruleFor(v.Type(), f)
		to := v.Field(i)
		if to.Kind() == reflect.Pointer {
			to.Set(reflect.New(to.Type().Elem()))
			to = to.Elem()
		}
		switch to.Kind() {
		case reflect.Bool:
			to.SetBool(true)
		case reflect.Int:
			to.SetInt(int64(r.low) + 1)
		case reflect.Float64:
			to.SetFloat(r.low + 0.5)
		case reflect.Array:
			to.Set(reflect.ValueOf(Interval{0.5, 1.5}))
		case reflect.Slice:
			to.Set(reflect.MakeSlice(to.Type(), 2, 2))
			for i := range to.Len() {
				fillFields(to.Index(i))
			}
		case reflect.String:
			if to.SetString("some words"); r.enum != nil {
				to.SetString(r.enum[0])
			}
		}
	}
}

// part returns the data of type T in r, ready to be spoilt.
func part[T any](t testing.TB, r *Report) *T {
	t.Helper()
	d := Find[T](r)
	if d == nil {
		t.Fatalf("the sample holds no %s", reflect.TypeFor[T]())
	}
	return d
}
