package diagnose_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCorpus compares the complete diagnosis of each fault, with and without a
// conference server, with the golden file. It shows the effect of a change of the
// catalogue on existing reports.
func TestCorpus(t *testing.T) {
	var b strings.Builder
	provoke := provocations()
	for _, code := range slices.Sorted(maps.Keys(provoke)) {
		for _, target := range []string{"https://bbb.example.org", ""} {
			r := healthy()
			r.Target = target
			provoke[code](r)
			fmt.Fprintf(&b, "%s, %s: %s\n", code, against(r.Target), diagnosis(r, profile(t, "bbb")))
		}
	}
	file := filepath.Join("testdata", "corpus.txt")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got another diagnosis than %s (go test ./probe/diagnose -run Corpus -update, then check the difference)", file)
	}
}

func against(target string) string {
	if target == "" {
		return "no conference server"
	}
	return "conference server"
}

// diagnosis returns the verdict and the causes in order, on one line.
func diagnosis(r *report.Report, p diagnose.Profile) string {
	causes, verdict := diagnose.Diagnose(r, p)
	words := []string{string(verdict)}
	for _, c := range causes {
		primary := ""
		if c.Primary {
			primary = " primary"
		}
		var evidence []string
		for _, e := range c.Evidence {
			evidence = append(evidence, fmt.Sprintf("%s.%s=%v", e.Probe, e.Field, e.Value))
		}
		endpoint := ""
		if c.Endpoint != report.EndpointNone {
			endpoint = " at the " + string(c.Endpoint)
		}
		words = append(words, fmt.Sprintf("%s%s %s %s %.2f%s (%s)", c.Code, primary, c.Severity, c.Area, c.Confidence, endpoint, strings.Join(evidence, " ")))
	}
	return strings.Join(words, "; ")
}
