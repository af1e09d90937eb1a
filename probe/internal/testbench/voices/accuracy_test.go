package voices

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The required accuracy.
const (
	minFixtures     = 300
	minFaultyRight  = 97.0 // percent
	minHealthyQuiet = 99.0 // percent
)

func studio(t *testing.T) *Studio {
	t.Helper()
	need.Program(t, "espeak-ng")
	s, err := NewStudio(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func profile(t *testing.T) diagnose.Profile {
	t.Helper()
	p, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMatrix checks the required accuracy; -v prints the matrix.
func TestMatrix(t *testing.T) {
	need.Full(t, "analyses hundreds of recordings")
	judged, err := Judge(context.Background(), studio(t), Fixtures(), profile(t))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatrix(judged)
	var printed, mistakes strings.Builder
	if err := m.Print(&printed); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", printed.String())
	if err := m.PrintMistakes(&mistakes); err != nil {
		t.Fatal(err)
	}
	faulty, right := m.Faulty()
	healthy, quiet := m.Healthy()
	if share := Share(right, faulty); share < minFaultyRight {
		t.Errorf("the right primary cause in %.1f %% of %d faulty fixtures, want %.0f %%", share, faulty, minFaultyRight)
	}
	if share := Share(quiet, healthy); share < minHealthyQuiet {
		t.Errorf("no warning in %.1f %% of %d healthy fixtures, want %.0f %%", share, healthy, minHealthyQuiet)
	}
	t.Logf("misjudged:\n%s", mistakes.String())
	t.Run("document", func(t *testing.T) { holdDocument(t, m, printed.String()) })
}

// documentOfThisEspeak returns docs/accuracy.md, unless it was generated with
// another version of espeak-ng, which speaks differently.
func documentOfThisEspeak(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "accuracy.md"))
	if err != nil {
		t.Fatal(err)
	}
	document := string(text)
	_, version, found := strings.Cut(document, "the matrix here is of version ")
	version, _, _ = strings.Cut(version, ". ")
	out, err := exec.Command("espeak-ng", "--version").Output()
	if err != nil || !found {
		t.Fatalf("espeak-ng --version: %v; the document's: %q", err, version)
	}
	if !strings.Contains(string(out), version) {
		t.Skipf("the document is of espeak-ng %s, this is %s", version, out)
	}
	return document
}

// holdDocument compares docs/accuracy.md with the matrix.
func holdDocument(t *testing.T, m Matrix, printed string) {
	document := documentOfThisEspeak(t)
	if !strings.Contains(document, "```\n"+strings.TrimSpace(printed)+"\n```") {
		t.Error("docs/accuracy.md has another matrix than `go run ./probe/internal/testbench/accuracy` prints")
	}
	faulty, right := m.Faulty()
	healthy, quiet := m.Healthy()
	for _, head := range []string{
		fmt.Sprintf("| %d with a fault of known kind and strength | right primary cause in 97 %% | %d (%.1f %%) |", faulty, right, Share(right, faulty)),
		fmt.Sprintf("| %d healthy ones | no warning and no failure in 99 %% | %d (%.1f %%) |", healthy, quiet, Share(quiet, healthy)),
	} {
		if !strings.Contains(document, head) {
			t.Errorf("docs/accuracy.md does not contain %q", head)
		}
	}
}

// TestEveryAudioCauseHasFixturesOrIsNamed: each cause that depends on the recording or the
// system's description of the device has fixtures; the document names the others, and what
// causes them.
func TestEveryAudioCauseHasFixturesOrIsNamed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "accuracy.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, others, found := strings.Cut(string(text), "### Causes that no recording shows")
	others, _, _ = strings.Cut(others, "\n## ")
	if !found {
		t.Fatal("docs/accuracy.md does not list the causes that no recording shows")
	}
	shown := map[string]bool{}
	for _, f := range Fixtures() {
		shown[f.Truth] = true
	}
	for _, d := range diagnose.Catalogue() {
		bare, audio := strings.CutPrefix(d.Code, "audio.")
		if named := strings.Contains(others, "`"+bare+"`"); audio && shown[d.Code] == named {
			t.Errorf("%s: has fixtures: %v; in the list of those without: %v", d.Code, shown[d.Code], named)
		}
	}
}

func TestFixturesAreBalanced(t *testing.T) {
	fixtures := Fixtures()
	names := map[string]bool{}
	healthy := 0
	for _, f := range fixtures {
		if names[f.Name()] {
			t.Errorf("two fixtures have the name %q", f.Name())
		}
		names[f.Name()] = true
		if f.Truth == Healthy {
			healthy++
		} else if _, known := diagnose.Lookup(f.Truth); !known {
			t.Errorf("%s: the catalogue has no cause %q", f.Name(), f.Truth)
		}
	}
	if len(fixtures) < minFixtures || 3*healthy < len(fixtures) {
		t.Errorf("got %d fixtures, %d of them healthy; want %d, a third of them healthy", len(fixtures), healthy, minFixtures)
	}
}

// TestMatrixCountsMistakes: the matrix must count mistakes; otherwise it would prove nothing.
func TestMatrixCountsMistakes(t *testing.T) {
	m := NewMatrix([]Judged{
		{Fixture{Truth: "audio.hum", Kind: "hum", Strength: "1"}, Outcome{Causes: primary("audio.hum")}},
		{Fixture{Truth: "audio.hum", Kind: "hum", Strength: "2"}, Outcome{Causes: primary("audio.noise")}},
		{Fixture{Kind: "voice", Strength: "1"}, Outcome{Causes: primary("audio.noise")}},
		{Fixture{Kind: "voice", Strength: "1"}, Outcome{}},
	})
	if total, right := m.Faulty(); total != 2 || right != 1 {
		t.Errorf("faulty: got %d of %d, want 1 of 2", right, total)
	}
	if total, right := m.Healthy(); total != 2 || right != 1 {
		t.Errorf("healthy: got %d of %d, want 1 of 2", right, total)
	}
	var printed strings.Builder
	if err := m.Print(&printed); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 2 with the right", "noise 1", "1: 1 of 1, 2: 0 of 1", "1: 1 of 2"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("the matrix does not contain %q:\n%s", want, printed.String())
		}
	}
}

func primary(code string) []report.Cause {
	return []report.Cause{{Code: code, Severity: report.SeverityWarn, Primary: true}}
}

// TestFixturesAreDeterministic: a fixture always yields the same recording, whatever ran before
// it.
func TestFixturesAreDeterministic(t *testing.T) {
	s, other := studio(t), studio(t)
	fixtures := Fixtures()
	bodies := map[int]string{}
	for i := 0; i < len(fixtures); i += 23 {
		first, err := fixtures[i].record(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		bodies[i] = string(first.wav())
	}
	again := Fixtures()
	for i := (len(again) - 1) / 23 * 23; i >= 0; i -= 23 {
		second, err := again[i].record(context.Background(), other)
		if err != nil {
			t.Fatal(err)
		}
		if bodies[i] != string(second.wav()) {
			t.Errorf("%s: the second recording differs", again[i].Name())
		}
	}
}

// TestWhisperIsNeverBlamedOnTheMicrophone: a whisper without a voice has nothing periodic.
// Tonprobe may report missing speech, but must not blame the microphone.
func TestWhisperIsNeverBlamedOnTheMicrophone(t *testing.T) {
	var fixtures []Fixture
	for _, voice := range []string{"de+whisperf", "de+whisper"} {
		who := Speaker{Voice: voice, Text: textGerman, Pitch: 50, WPM: 150}
		fixtures = append(fixtures, Fixture{
			Kind: "whisper", Strength: "-32 dBFS", Speaker: who, RateHz: 48000, steps: []step{spokenAt(-32), room(-70)},
		})
	}
	judged, err := Judge(context.Background(), studio(t), fixtures, profile(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range judged {
		if code := j.Outcome.Code(); code != Healthy && code != "audio.no_speech" || j.Outcome.Verdict == report.NotReady {
			t.Errorf("%s: got %s, verdict %s; want no cause or audio.no_speech, not %s", j.Fixture.Name(), name(code), j.Outcome.Verdict, report.NotReady)
		}
	}
}
