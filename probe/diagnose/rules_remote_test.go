package diagnose_test

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestRemoteDesktop: a microphone that is missing or silent in a session of a remote desktop is
// not one whose plug or switch somebody has to check. A voice that arrives there is good.
func TestRemoteDesktop(t *testing.T) {
	for _, code := range []string{"audio.no_microphone", "audio.digital_silence"} {
		for _, remote := range []*bool{nil, new(false), new(true)} {
			r := healthy()
			provocations()[code](r)
			input(r).RemoteSession = remote
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if len(causes) == 0 || causes[0].Code != code {
				t.Fatalf("got %q, want %s", codes(causes), code)
			}
			text, _ := diagnose.ExplainCause(causes[0], phrase.DE)
			if got, want := strings.Contains(text.Sentence, "entfernten Computer"), remote != nil && *remote; got != want {
				t.Errorf("%s, remote %v: got %q %q", code, remote, text.Sentence, text.Action)
			}
		}
	}
	r := healthy()
	input(r).RemoteSession = new(true)
	if causes, verdict := diagnose.Diagnose(r, profile(t, "bbb")); len(causes) > 0 || verdict != report.Ready {
		t.Errorf("got %q, %s; want ready without a cause", codes(causes), verdict)
	}
}
