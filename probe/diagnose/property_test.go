package diagnose_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// randomReport returns a report with a random mixture of probes, states and values,
// including hostile numbers and strings. About half of the fields are nil.
func randomReport(rng *rand.Rand) *report.Report {
	r := healthy()
	if rng.IntN(2) == 0 {
		r.Target = ""
	}
	statuses := []report.Status{report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusUnknown, report.StatusSkipped, ""}
	for i := range r.Probes {
		p := &r.Probes[i]
		p.Status = statuses[rng.IntN(len(statuses))]
		switch rng.IntN(6) {
		case 0:
			p.Data = nil
		case 1: // keep the healthy data
		default:
			scramble(rng, reflect.ValueOf(p.Data).Elem())
		}
	}
	return r
}

// scramble sets each field to a random value, or leaves it as it is.
func scramble(rng *rand.Rand, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Field(i)
		if rng.IntN(4) == 0 {
			continue
		}
		if field.Kind() == reflect.Slice {
			field.SetZero()
			if field.Type() == reflect.TypeFor[[]report.PathSegment]() {
				field.Set(reflect.ValueOf(randomSegments(rng)))
			}
			continue
		}
		if field.Kind() != reflect.Pointer {
			field.SetString(randomWord(rng))
			continue
		}
		if rng.IntN(2) == 0 {
			field.SetZero()
			continue
		}
		field.Set(reflect.New(field.Type().Elem()))
		switch e := field.Elem(); e.Kind() {
		case reflect.Bool:
			e.SetBool(rng.IntN(2) == 0)
		case reflect.Int:
			e.SetInt(int64(randomNumber(rng)))
		case reflect.Float64:
			e.SetFloat(randomNumber(rng))
		case reflect.Array:
			e.Index(0).SetFloat(randomNumber(rng))
			e.Index(1).SetFloat(randomNumber(rng))
		}
	}
}

// randomSegments returns streams of a path with random figures, plausible and hostile
// ones.
func randomSegments(rng *rand.Rand) (all []report.PathSegment) {
	for _, name := range []string{"lan", "access", "transit", "server", "lan", "nonsense"} {
		if rng.IntN(3) == 0 {
			continue
		}
		s := report.PathSegment{Name: name, Sent: new(100), Lost: new(rng.IntN(40)), RTTMinMS: new(2.0), RTTP95MS: new(2 + 200*rng.Float64())}
		if rng.IntN(4) == 0 {
			s.Sent, s.Lost = new(int(randomNumber(rng))), new(int(randomNumber(rng)))
			s.RTTP95MS = new(randomNumber(rng))
		}
		if rng.IntN(4) == 0 {
			s.Lost = nil
		}
		all = append(all, s)
	}
	return all
}

func randomNumber(rng *rand.Rand) float64 {
	switch rng.IntN(12) {
	case 0:
		return 0
	case 1:
		return math.MaxFloat64
	case 2:
		return -math.MaxFloat64
	case 3:
		return math.NaN()
	case 4:
		return math.Inf(1 - 2*rng.IntN(2))
	case 5:
		return 407
	}
	return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(7)-1))
}

func randomWord(rng *rand.Rand) string {
	words := []string{
		"", "complete", "no_server", "no_device", "no_session", "refused", "in_use", "stalled", "died", "device_absent",
		"open", "blocked", "server_silent", "not_tested", "server_error", "no_signalling", "ice_failed", "not_flowing",
		"interrupted", "http", "dns", "tcp", "tls", "timeout", "not_found", "srflx udp", "relay tcp", "void", "degraded",
		"wifi", "vpn", "lan", "access", "transit", "server", "none", "reached", "silent", "APDM",
		"<script>alert(1)</script>", "\x1b[2J\u202e",
	}
	return words[rng.IntN(len(words))]
}

// FuzzDiagnose checks the invariants of a diagnosis for any report.
func FuzzDiagnose(f *testing.F) {
	seeds := uint64(3000)
	if need.Short() {
		seeds = 300
	}
	for seed := range seeds {
		f.Add(seed)
	}
	explained := closure()
	profiles := map[string]diagnose.Profile{}
	for _, name := range diagnose.ProfileNames() {
		profiles[name] = profile(f, name)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := randomReport(rng)
		p := profiles[diagnose.ProfileNames()[rng.IntN(len(profiles))]]
		causes, verdict := diagnose.Diagnose(r, p)
		checkOrder(t, causes)
		checkSuppression(t, causes, explained)
		checkVerdict(t, causes, verdict)
		for _, c := range causes {
			checkCause(t, r, c)
		}
		checkFinished(t, r, p, causes, verdict)
	})
}

func rank(s report.Severity) int {
	return map[report.Severity]int{report.SeverityInfo: 1, report.SeverityWarn: 2, report.SeverityFail: 3}[s]
}

func checkOrder(t *testing.T, causes []report.Cause) {
	t.Helper()
	for i, c := range causes {
		if c.Primary != (i == 0 && c.Severity != report.SeverityInfo) {
			t.Errorf("cause %d %s: primary = %v, severity %s, want only the first one primary, unless it is a remark", i, c.Code, c.Primary, c.Severity)
		}
		if i == 0 {
			continue
		}
		before := causes[i-1]
		if rank(before.Severity) < rank(c.Severity) {
			t.Errorf("%s (%s) follows %s (%s)", c.Code, c.Severity, before.Code, before.Severity)
		}
		if i > 1 && before.Severity == c.Severity && before.Confidence < c.Confidence {
			t.Errorf("%s (%v) follows %s (%v)", c.Code, c.Confidence, before.Code, before.Confidence)
		}
	}
}

func checkSuppression(t *testing.T, causes []report.Cause, explained map[string]map[string]bool) {
	t.Helper()
	for _, c := range causes {
		for _, by := range causes {
			// A fault of the conference server explains none of ours, and vice versa.
			d, _ := diagnose.Lookup(by.Code)
			apart := (d.OneServer || strings.HasPrefix(by.Code, "conf.")) && by.Endpoint != "" && c.Endpoint != "" &&
				(by.Endpoint == report.EndpointConference) != (c.Endpoint == report.EndpointConference)
			if explained[c.Code][by.Code] && !apart {
				t.Errorf("%s is reported beside %s, which explains it", c.Code, by.Code)
			}
		}
	}
}

func checkVerdict(t *testing.T, causes []report.Cause, verdict report.Verdict) {
	t.Helper()
	worst := 0
	for _, c := range causes {
		worst = max(worst, rank(c.Severity))
	}
	if worst > 1 && verdict == report.Ready || worst < 3 && verdict == report.NotReady || worst < 2 && verdict == report.Limited {
		t.Errorf("verdict %s, but the worst severity has rank %d", verdict, worst)
	}
}

func checkCause(t *testing.T, r *report.Report, c report.Cause) {
	t.Helper()
	d, ok := diagnose.Lookup(c.Code)
	if !ok {
		t.Fatalf("%s is not in the catalogue", c.Code)
	}
	if rank(c.Severity) > rank(d.Severity) || rank(c.Severity) == 0 {
		t.Errorf("%s: severity %q, want at most %s", c.Code, c.Severity, d.Severity)
	}
	if !(c.Confidence > 0 && c.Confidence <= 1) {
		t.Errorf("%s: confidence = %v, want above 0, at most 1", c.Code, c.Confidence)
	}
	if c.Area == "" || len(c.Evidence) == 0 {
		t.Errorf("%s: area %q, %d pieces of evidence, want an area and at least one", c.Code, c.Area, len(c.Evidence))
	}
	for _, e := range c.Evidence {
		checkEvidence(t, r, c.Code, e)
	}
}

// checkEvidence checks that no rule uses a nil field: the value must be in the probe's
// data, under its name in the report.
func checkEvidence(t *testing.T, r *report.Report, code string, e report.Evidence) {
	t.Helper()
	p, _ := r.Probe(e.Probe)
	if p.Data == nil {
		t.Fatalf("%s: evidence %s of a probe without data", code, e.Field)
	}
	v, ok := fieldValue(reflect.ValueOf(p.Data).Elem(), e.Field)
	if !ok {
		t.Fatalf("%s: %s has no value %s", code, e.Probe, e.Field)
	}
	want := v.Interface()
	switch v.Kind() {
	case reflect.Slice: // a segment of the path, by its name
		for i := range v.Len() {
			if segment, ok := v.Index(i).Interface().(report.PathSegment); ok && segment.Name == e.Value {
				return
			}
		}
	case reflect.Int:
		want = float64(v.Int())
	case reflect.String:
		want = v.String()
	}
	got, isNumber := e.Value.(float64)
	if isNumber && math.Abs(got-want.(float64)) <= 0.001 || e.Value == want {
		return
	}
	t.Errorf("%s: %s.%s = %v, the data has %v", code, e.Probe, e.Field, e.Value, want)
}

// fieldValue returns a field by its JSON name; ok is false if it is nil.
func fieldValue(data reflect.Value, name string) (v reflect.Value, ok bool) {
	for i := range data.NumField() {
		if jsonName(data.Type().Field(i)) != name {
			continue
		}
		v = data.Field(i)
		if v.Kind() != reflect.Pointer {
			return v, true
		}
		return v.Elem(), !v.IsNil()
	}
	return v, false
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// checkFinished checks that diagnosing a finished report again has the same result,
// here or at the collector that receives it as JSON.
func checkFinished(t *testing.T, r *report.Report, p diagnose.Profile, causes []report.Cause, verdict report.Verdict) {
	t.Helper()
	diagnose.Finish(r, p)
	again, verdictAgain := diagnose.Diagnose(r, p)
	if !reflect.DeepEqual(again, causes) || verdictAgain != verdict {
		t.Errorf("finished: got %q %s, want %q %s as before", codes(again), verdictAgain, codes(causes), verdict)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return // JSON has no NaN and infinite values; report.Validate rejects them
	}
	var far report.Report
	if err := json.Unmarshal(raw, &far); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(far.Causes, causes) {
		t.Errorf("the causes changed in JSON:\n%+v\n%+v", far.Causes, causes)
	}
	there, verdictThere := diagnose.Diagnose(&far, p)
	if !reflect.DeepEqual(there, causes) || verdictThere != verdict {
		t.Errorf("at the collector: got %q %s, want %q %s as here", codes(there), verdictThere, codes(causes), verdict)
	}
}
