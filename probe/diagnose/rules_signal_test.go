package diagnose

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// recorded returns a report with a microphone only.
func recorded(change func(in *report.AudioInput)) *report.Report {
	in := &report.AudioInput{
		State: report.CaptureComplete, CapturedMS: new(5500.0), SpeechMS: new(0.0), SyllabicMS: new(0.0),
		ActiveLevelDBFS: new(-30.0), RMSDBFS: new(-34.0),
	}
	change(in)
	return &report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput, Status: report.StatusOK, Data: in}}}
}

func defaultProfile(t *testing.T) Profile {
	t.Helper()
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNoSpeechIsAFaultOnlyWithoutSyllables: a warning requires certainty that nobody was
// heard. If there may have been a voice, the result is unknown.
func TestNoSpeechIsAFaultOnlyWithoutSyllables(t *testing.T) {
	p := defaultProfile(t)
	for _, test := range []struct {
		name     string
		change   func(in *report.AudioInput)
		severity report.Severity
		sentence string
	}{
		{"a fan", func(in *report.AudioInput) {}, report.SeverityWarn, "We did not hear a voice."},
		{"keys", func(in *report.AudioInput) { in.SyllabicMS = new(500.0) }, report.SeverityWarn, "We did not hear a voice."},
		{"an older program's report", func(in *report.AudioInput) { in.SyllabicMS = nil }, report.SeverityWarn, "We did not hear a voice."},
		{"a whisper", func(in *report.AudioInput) { in.SyllabicMS = new(1400.0) }, report.SeverityInfo, "could not tell whether it was a voice"},
		{"a voice too rough", func(in *report.AudioInput) { in.SpeechMS, in.SyllabicMS = new(360.0), new(2100.0) }, report.SeverityInfo, "could not tell whether it was a voice"},
		{"a dead input", func(in *report.AudioInput) { in.RMSDBFS = new(-95.0) }, report.SeverityFail, "We did not hear a voice."},
	} {
		causes, verdict := Diagnose(recorded(test.change), p)
		if len(causes) != 1 || causes[0].Code != "audio.no_speech" || causes[0].Severity != test.severity || causes[0].Primary != (test.severity != report.SeverityInfo) {
			t.Errorf("%s: got %+v, want audio.no_speech with severity %s", test.name, causes, test.severity)
			continue
		}
		if text, _ := ExplainCause(causes[0], phrase.EN); !strings.Contains(text.Sentence, test.sentence) {
			t.Errorf("%s: got %q, want it to contain %q", test.name, text.Sentence, test.sentence)
		}
		if want := map[bool]report.Verdict{true: report.NotReady, false: report.Unknown}[test.severity == report.SeverityFail]; verdict != want {
			t.Errorf("%s: got verdict %s, want %s", test.name, verdict, want)
		}
	}
}

// TestEstimatedNoiseIsLessCertain: estimated noise has a lower confidence.
func TestEstimatedNoiseIsLessCertain(t *testing.T) {
	p := defaultProfile(t)
	noisy := func(estimated *bool) report.Cause {
		causes, _ := Diagnose(recorded(func(in *report.AudioInput) {
			in.SpeechMS, in.ActiveLevelDBFS = new(4000.0), new(-25.0)
			in.NoiseFloorDBFS, in.SNRDB, in.NoiseFloorEstimated = new(-34.0), new(9.0), estimated
		}), p)
		if len(causes) != 1 || causes[0].Code != "audio.noise" || !causes[0].Primary {
			t.Fatalf("got %+v, want only audio.noise as primary", causes)
		}
		return causes[0]
	}
	measured, estimated := noisy(new(false)), noisy(new(true))
	if old := noisy(nil); old.Confidence != measured.Confidence || estimated.Confidence >= measured.Confidence || estimated.Confidence < 0.5 {
		t.Errorf("got confidence %g if measured, %g if estimated, %g for an older report; want less than %g, at least 0.5, %g", measured.Confidence, estimated.Confidence, old.Confidence, measured.Confidence, measured.Confidence)
	}
}

// TestLimitWithoutAWarning: a profile may have a limit of failure only.
func TestLimitWithoutAWarning(t *testing.T) {
	p := defaultProfile(t)
	p.Audio.QuietDBFS.Warn = nil
	r := recorded(func(in *report.AudioInput) {
		in.SpeechMS, in.SyllabicMS, in.ActiveLevelDBFS = new(4000.0), new(4000.0), new(*p.Audio.QuietDBFS.Fail-10)
	})
	causes, _ := Diagnose(r, p)
	if len(causes) == 0 || causes[0].Code != "audio.too_quiet" || causes[0].Severity != report.SeverityFail {
		t.Errorf("got %+v, want audio.too_quiet as a failure", causes)
	}
}
