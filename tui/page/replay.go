package page

import "github.com/tonprobe/tonprobe/tui/words"

// Replay is the state of the last seconds of the recording, which are held in memory for
// playback.
type Replay string

// States of a Replay; the zero value offers nothing.
const (
	ReplayKept    Replay = "kept"
	ReplayPlaying Replay = "playing"
	ReplayFailed  Replay = "failed" // playback failed; the sound is still kept
	ReplayErased  Replay = "erased"
)

// Held reports whether there is sound to play and nothing is playing.
func (r Replay) Held() bool { return r == ReplayKept || r == ReplayFailed }

// Sentence describes the state; empty if nothing is offered.
func (r Replay) Sentence(w words.Words) string {
	if r == "" {
		return ""
	}
	return w.T("replay." + string(r))
}
