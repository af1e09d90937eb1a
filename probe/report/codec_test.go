package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestEncodeDecodeGivesTheSameReport(t *testing.T) {
	want := full(t)
	b, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWrittenReportsFitTheSchema(t *testing.T) {
	schema := compiled(t)
	bare := full(t)
	bare.Probes, bare.Causes, bare.Target, bare.Agent.ID = nil, nil, "", ""
	skipped := full(t)
	skipped.Probes = []Result{{Name: "nat", Status: StatusSkipped, StartedAt: skipped.StartedAt, Data: (*NAT)(nil)}}
	skipped.Causes[0].Evidence = nil
	for name, r := range map[string]*Report{"full": full(t), "bare": bare, "skipped": skipped} {
		b, err := r.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		doc, _ := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefusesWhatDecodeRefuses makes one field at a time invalid. Decode and the
// schema must both reject it.
func TestSchemaRefusesWhatDecodeRefuses(t *testing.T) {
	schema := compiled(t)
	for field, value := range map[string]any{
		"id": "6f1d4d1e-6f0c-4a53-9a3c-3c8c7a7a1d11", "case": "K7P-3QI", "trigger": "cron", "verdict": "good",
		"profile": "", "target": "javascript://x", "duration_ms": -1, "first_verdict_ms": 1e12,
		"started_at": "yesterday", "probes": "none", "causes": 7, "agent": map[string]any{"id": 5},
		"schema": "tonprobe.report/v2",
	} {
		doc := generic(t, full(t))
		doc[field] = value
		b, _ := json.Marshal(doc)
		if _, err := Decode(b); err == nil {
			t.Errorf("Decode accepts %s = %v", field, value)
		}
		again, _ := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if schema.Validate(again) == nil {
			t.Errorf("the schema accepts %s = %v", field, value)
		}
	}
}

func generic(t *testing.T, r *Report) map[string]any {
	t.Helper()
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDecodeDropsUnknownFields(t *testing.T) {
	doc := generic(t, full(t))
	doc["user_name"] = "anna"
	doc["agent"].(map[string]any)["host_name"] = "annas-pc"
	nat := doc["probes"].([]any)[KnownProbes().Index(ProbeNAT)].(map[string]any)
	nat["ssid"] = "FRITZ!Box"
	nat["data"].(map[string]any)["local_address"] = "192.168.178.20"
	doc["probes"] = append(doc["probes"].([]any), map[string]any{
		"name": "net.future", "version": 9, "status": "ok", "started_at": "2026-03-04T17:55:01Z", "duration_ms": 1,
		"error": "", "data": map[string]any{"secret": "anna"},
	})
	b, _ := json.Marshal(doc)
	r, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := r.Probe("net.future"); !ok || p.Data != nil || p.Status != StatusOK {
		t.Errorf("got result %+v, ok %t for an unknown probe; want no Data, Status %v, true", p, ok, StatusOK)
	}
	again, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"anna", "FRITZ", "192.168"} {
		if bytes.Contains(again, []byte(word)) {
			t.Errorf("%q was kept", word)
		}
	}
}

func TestDecodeNormalisesTimesToUTC(t *testing.T) {
	doc := generic(t, full(t))
	doc["started_at"] = "2026-03-04T18:55:01+01:00"
	b, _ := json.Marshal(doc)
	r, err := Decode(b)
	if err != nil || r.StartedAt.Location() != time.UTC || r.StartedAt.Hour() != 17 {
		t.Errorf("got %v, error %v; want 17 h UTC", r, err)
	}
}

func TestDecodeVersions(t *testing.T) {
	for schema, c := range map[string]struct {
		newer bool
		word  string
	}{
		"tonprobe.report/v2":                     {true, "update the collector"},
		"tonprobe.report/v12":                    {true, "update the collector"},
		"tonprobe.report/v0":                     {false, "update the agent"},
		"":                                       {false, "not a Tonprobe report"},
		"tonprobe.report/vnext":                  {false, "not a Tonprobe report"},
		"tonprobe.report/v01":                    {false, "not a Tonprobe report"},
		"<script>" + strings.Repeat("x", 10_000): {false, "not a Tonprobe report"},
	} {
		// In another version any field may have another meaning, so nothing else of the
		// document may be read.
		b, _ := json.Marshal(map[string]any{"schema": schema, "id": 7, "probes": "moved"})
		_, err := Decode(b)
		e, ok := errors.AsType[*VersionError](err)
		if !ok || e.Newer() != c.newer || !strings.Contains(err.Error(), c.word) || strings.Contains(err.Error(), "script") {
			t.Errorf("%.40q: got error %v, want a *VersionError with %q, newer %t", schema, err, c.word, c.newer)
		}
	}
}

func TestDecodeRefusesWhatIsNoReport(t *testing.T) {
	whole, _ := full(t).Encode()
	for name, b := range map[string][]byte{
		"empty": nil, "html": []byte("<html>"), "truncated": whole[:len(whole)-9], "two documents": append(whole, whole...),
		"deep": bytes.Repeat([]byte("["), 100_000),
	} {
		if _, err := Decode(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got error %v, want ErrMalformed", name, err)
		}
	}
	if _, err := Decode(make([]byte, MaxBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("oversize: got error %v, want %v", err, ErrTooLarge)
	}
	for text, field := range map[string]string{
		`[1]`:                                    "(document)",
		`{"schema":"tonprobe.report/v1","id":7}`: "id",
		`{"schema":"tonprobe.report/v1","probes":[{"version":1e99}]}`:                   "probes[].version",
		`{"schema":"tonprobe.report/v1","probes":[{"name":"nat","data":{"udp":1}}]}`:    "probes[].data.udp",
		`{"schema":"tonprobe.report/v1","probes":[{"name":"nat","data":"<script>"}]}`:   "probes[].data",
		`{"schema":"tonprobe.report/v1","causes":[{"confidence":"<script>"}]}`:          "causes.confidence",
		`{"schema":"tonprobe.report/v1","causes":[{"evidence":[{"value":{"a":"b"}}]}]}`: "",
	} {
		_, err := Decode([]byte(text))
		e, ok := errors.AsType[*ValidationError](err)
		if !ok || field != "" && e.Field != field || strings.Contains(err.Error(), "script") {
			t.Errorf("%s: got error %v, want a ValidationError for %q", text, err, field)
		}
	}
}

func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	r := full(t)
	r.Case = "nope"
	if _, err := r.Encode(); err == nil {
		t.Error("an invalid report was encoded")
	}
	var missing *Report = new(Report)
	if _, err := missing.Encode(); err == nil {
		t.Error("an empty report was encoded")
	}
}

func FuzzDecode(f *testing.F) {
	whole, err := full(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"schema":"tonprobe.report/v2"}`))
	f.Add([]byte(`{"schema":"tonprobe.report/v1","probes":[{"name":"nat","data":{"udp":"open","udp":null}}]}`))
	schema := compiled(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("the error message has %d bytes, want at most 1000", len(err.Error()))
			}
			return
		}
		again, err := r.Encode()
		if err != nil {
			if !errors.Is(err, ErrTooLarge) { // escapes can make a document longer
				t.Fatalf("decoded, but cannot be encoded: %v", err)
			}
			return
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(again))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("accepted by Decode, but not by the schema: %v", err)
		}
		twice, err := Decode(again)
		if err != nil || !reflect.DeepEqual(r, twice) {
			t.Errorf("changed by encoding and decoding: %v", err)
		}
		_ = Redact(r, Policy{}).Validate()
	})
}
