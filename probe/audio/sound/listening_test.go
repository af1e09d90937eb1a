package sound

import (
	"testing"
	"time"
)

// part is a section of sound.
type part struct {
	lasts  time.Duration
	speech bool
	floor  bool // the noise floor has been measured
	zeros  bool // only zeros so far
}

// endsAfter processes the parts and returns when the capture ends, in sound time
// from the invitation to speak; -1 if it does not.
func endsAfter(fixed time.Duration, parts []part) time.Duration {
	const step = 50 * time.Millisecond
	l := Listening{Fixed: fixed}
	missing := l.Missing()
	for _, p := range parts {
		for range p.lasts / step {
			l.Hear(step, p.speech)
			if m := l.Missing(); m > missing || m < 0 {
				return -2 // the remaining time increased
			} else {
				missing = m
			}
			if l.Over(p.floor, p.zeros) {
				return l.heard
			}
		}
	}
	return -1
}

func TestListeningEnds(t *testing.T) {
	const s = time.Second
	quiet := func(d time.Duration) part { return part{lasts: d, floor: true} }
	speech := func(d time.Duration) part { return part{lasts: d, speech: true, floor: true} }
	unsure := part{lasts: 20 * s, speech: true}
	for name, tt := range map[string]struct {
		fixed time.Duration
		parts []part
		want  time.Duration
	}{
		"speaks from the start, no pause": {0, []part{speech(20 * s)}, voiceWindow},
		"begins after five seconds":       {0, []part{quiet(5 * s), speech(20 * s)}, 5*s + voiceWindow},
		"never pauses":                    {0, []part{unsure}, voiceWindow + pauseWait},
		"slowly, in words and pauses":     {0, []part{speech(s), quiet(2 * s), speech(s), quiet(2 * s), speech(s), quiet(9 * s)}, 7 * s},
		"says too little":                 {0, []part{speech(2 * s), quiet(20 * s)}, LongestListen},
		"nobody speaks":                   {0, []part{quiet(20 * s)}, LongestListen},
		"begins at the very end":          {0, []part{quiet(11 * s), speech(20 * s)}, LongestListen},
		"nothing but zeros":               {0, []part{{lasts: 20 * s, zeros: true}}, zerosListen},
		"a click is not yet a voice":      {0, []part{speech(300 * time.Millisecond), quiet(5 * s), speech(20 * s)}, 5*s + 300*time.Millisecond + voiceWindow - 300*time.Millisecond},
		"fixed, whatever is said":         {8 * s, []part{speech(20 * s)}, 8 * s},
		"fixed, and nobody speaks":        {2 * s, []part{quiet(20 * s)}, 2 * s},
		"fixed, and nothing but zeros":    {30 * s, []part{{lasts: 60 * s, zeros: true}}, 30 * s},
		"sound still arriving":            {0, []part{speech(4 * s)}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := endsAfter(tt.fixed, tt.parts); got != tt.want {
				t.Errorf("ends after %v, want %v", got, tt.want)
			}
		})
	}
}
