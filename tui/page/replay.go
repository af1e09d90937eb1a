package page

import "github.com/tonprobe/tonprobe/tui/words"

// Replay is what has become of the last seconds of a voice, held in memory so
// that the speaker may hear them.
type Replay string

// The states of a Replay; the zero value offers nothing.
const (
	ReplayKept    Replay = "kept"
	ReplayPlaying Replay = "playing"
	ReplayFailed  Replay = "failed" // it could not be played, and is still kept
	ReplayErased  Replay = "erased"
)

// Held reports whether there is something to play and nothing plays.
func (r Replay) Held() bool { return r == ReplayKept || r == ReplayFailed }

// Sentence says it; empty when nothing is offered.
func (r Replay) Sentence(w words.Words) string {
	if r == "" {
		return ""
	}
	return w.T("replay." + string(r))
}
