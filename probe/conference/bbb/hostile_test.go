package bbb_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// checkAreas checks that the causes of a server's faults are attributed to the
// municipality, or to no area if the line may have caused them.
func checkAreas(t *testing.T, c *report.Conference) {
	t.Helper()
	profile, err := diagnose.LoadProfile("bbb")
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{Target: "https://bbb.example.org", Probes: []report.Result{{Name: report.ProbeBBB, Version: 1, Status: report.StatusWarn, Data: c}}}
	causes, _ := diagnose.Diagnose(r, profile)
	for _, cause := range causes {
		if cause.Area != report.AreaMunicipality && cause.Area != report.AreaUnknown {
			t.Errorf("got area %[2]s for %[1]s, want the municipality or none", cause.Code, cause.Area)
		}
	}
}

var word = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// TestWrongAnswers: whatever a web server responds with instead of the expected response,
// the step that requested it reports the fault.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	steps := map[bbbrig.Step]report.ConferenceStep{
		bbbrig.API: report.StepAPI, bbbrig.Join: report.StepSignIn, bbbrig.Meeting: report.StepSignIn, bbbrig.Enter: report.StepState,
		bbbrig.State: report.StepState, bbbrig.Servers: report.StepRelay, bbbrig.Signalling: report.StepSignalling,
	}
	answers := map[bbbrig.Fault]string{
		bbbrig.Loops: "redirect_loop", bbbrig.Elsewhere: "redirected", bbbrig.HTML: "not_api", bbbrig.Garbage: "not_api", bbbrig.Huge: "too_long",
		bbbrig.Endless: "timeout", bbbrig.Hangs: "timeout", bbbrig.Stops: "cut_off", bbbrig.Down: "502",
	}
	for part, step := range steps {
		socket := part == bbbrig.State || part == bbbrig.Signalling
		for fault, code := range answers {
			if part == bbbrig.Servers && fault != bbbrig.Loops && fault != bbbrig.Stops {
				continue // the sound is still tested, which takes its time
			}
			switch {
			case part == bbbrig.Join && fault == bbbrig.Elsewhere:
				code = "no_name" // a load balancer's redirect is followed
			case socket && fault != bbbrig.Loops && fault != bbbrig.Elsewhere && fault != bbbrig.Down && fault != bbbrig.Hangs:
				code = "not_api" // the response opens no WebSocket
			}
			t.Run(fmt.Sprintf("%s %s", part, fault), func(t *testing.T) {
				t.Parallel()
				version := "3.0"
				if part == bbbrig.Enter {
					version = "2.7"
				}
				r := bbbrig.Start(t, bbbrig.Config{Version: version, Faults: map[bbbrig.Step]bbbrig.Fault{part: fault}})
				got := check(t, r, r.JoinLink())
				conferencetest.Want(t, got, map[report.ConferenceStep]string{step: "fail " + code})
				if failed, _ := got.Check(step); (failed.Host != "") != (fault == bbbrig.Elsewhere) || got.FailedStep == string(step) && got.FailedHost != failed.Host {
					t.Errorf("got the other hosts %q and %q, want one after a redirect only", failed.Host, got.FailedHost)
				}
				checkAreas(t, got)
			})
		}
	}
}

// TestCloseCodes: if a WebSocket is closed at once, its step fails with the close code,
// or with a word for it.
func TestCloseCodes(t *testing.T) {
	t.Parallel()
	codes := []int{0, 1, 999, 2999, 3000, 3999, 4000, 4400, 4403, 4999, 5000, 65535}
	for code := 1000; code <= 1016; code++ {
		codes = append(codes, code)
	}
	for part, step := range map[bbbrig.Step]report.ConferenceStep{bbbrig.State: report.StepState, bbbrig.Signalling: report.StepSignalling} {
		for _, version := range []string{"2.7", "3.0"} {
			for _, code := range codes {
				t.Run(fmt.Sprintf("%s of %s: %d", part, version, code), func(t *testing.T) {
					t.Parallel()
					r := bbbrig.Start(t, bbbrig.Config{Version: version, CloseCode: code, Faults: map[bbbrig.Step]bbbrig.Fault{part: bbbrig.Closes}})
					got := check(t, r, r.JoinLink())
					failed, _ := got.Check(step)
					n, err := strconv.Atoi(failed.Code)
					switch sendable := code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code < 5000; {
					case failed.Status != report.StatusFail, !word.MatchString(failed.Code):
						t.Errorf("got %s %s, want a failure with a plain code", failed.Status, failed.Code)
					case code == 4403 && part == bbbrig.State && version == "3.0":
						if failed.Code != "session_expired" {
							t.Errorf("got %s, want session_expired", failed.Code)
						}
					case sendable && (err != nil || n != code):
						t.Errorf("got %s, want %d", failed.Code, code)
					}
					checkAreas(t, got)
				})
			}
		}
	}
}

// TestSilentSockets: a WebSocket that opens and then stays silent is closed after the
// step.
func TestSilentSockets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version string
		step    bbbrig.Step
		fails   report.ConferenceStep
	}{
		"state":        {"3.0", bbbrig.State, report.StepState},
		"state of 2.7": {"2.7", bbbrig.State, report.StepState},
		"signalling":   {"3.0", bbbrig.Signalling, report.StepSignalling},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, bbbrig.Config{Version: c.version, Faults: map[bbbrig.Step]bbbrig.Fault{c.step: bbbrig.Silent}})
			got := check(t, r, r.JoinLink())
			conferencetest.Want(t, got, map[report.ConferenceStep]string{c.fails: "fail timeout", report.StepSoundDown: "unknown step_before"})
			checkAreas(t, got)
		})
	}
}

// TestMeteor: the reasons for which a server of 2.7 refuses a session are reported.
func TestMeteor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config bbbrig.Config
		steps  map[report.ConferenceStep]string
	}{
		"session unknown":     {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Enter: bbbrig.Expired}}, map[report.ConferenceStep]string{report.StepState: "fail session_expired", report.StepCall: "unknown step_before"}},
		"token not validated": {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Expired}}, map[report.ConferenceStep]string{report.StepState: "fail session_expired"}},
		"meeting is full":     {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Full}}, map[report.ConferenceStep]string{report.StepState: "fail meeting_full"}},
		"meeting has ended":   {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Ended}}, map[report.ConferenceStep]string{report.StepState: "fail meeting_ended"}},
		"SockJS goes away":    {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Closes}}, map[report.ConferenceStep]string{report.StepState: "fail 3000"}},
		"another DDP":         {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Refuses}}, map[report.ConferenceStep]string{report.StepState: "fail join_refused"}},
		"locked microphones":  {bbbrig.Config{LockMicrophones: true}, map[report.ConferenceStep]string{report.StepState: "ok", report.StepCall: "fail microphone_locked"}},
		"a hidden version whose SFU does not answer": {bbbrig.Config{HideVersion: true, Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Call: bbbrig.Hangs}}, map[report.ConferenceStep]string{
			report.StepCall: "unknown old_version", report.StepPath: "unknown step_before"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.config.Version = "2.7"
			r := bbbrig.Start(t, c.config)
			got := check(t, r, r.JoinLink())
			conferencetest.Want(t, got, c.steps)
			checkAreas(t, got)
		})
	}
}

// TestRules: each restriction of a meeting is reported with its own code.
func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config bbbrig.Config
		steps  map[report.ConferenceStep]string
	}{
		"locked microphones": {bbbrig.Config{LockMicrophones: true}, map[report.ConferenceStep]string{
			report.StepState: "ok", report.StepSignalling: "ok", report.StepCall: "fail microphone_locked", report.StepSoundUp: "unknown step_before"}},
		// The echo is not muted.
		"muted on joining": {bbbrig.Config{MuteOnStart: true}, map[report.ConferenceStep]string{report.StepState: "ok mute_on_start", report.StepSoundDown: "ok"}},
		"waits in the lobby": {bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Guest}}, map[report.ConferenceStep]string{
			report.StepSignIn: "ok", report.StepState: "fail guest_waits", report.StepCall: "unknown step_before"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, c.config)
			got := check(t, r, r.JoinLink())
			conferencetest.Want(t, got, c.steps)
			checkAreas(t, got)
		})
	}
}

// during runs a check and calls a function while the sound is being sent.
func during(t *testing.T, r *bbbrig.Rig, do func()) *report.Conference {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if c := r.Count(); c.Calls+c.Tracks > 0 {
				do()
				return
			}
		}
	}()
	v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, r.JoinLink()), RootCAs: r.Roots, Direct: true}, probetest.Env(t))
	defer v.Close()
	bbb.System{}.Check(t.Context(), v)
	<-done
	if !r.Left(8 * time.Second) {
		t.Errorf("left behind: %+v, want nothing", r.Count())
	}
	return v.Data
}

// TestEndsInTheMiddle: a meeting that ends during the call is distinguished from a line
// that fails.
func TestEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]bbbrig.Config{"2.7": {Version: "2.7"}, "3.0": {}, "LiveKit": {Version: "4.0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, c)
			got := during(t, r, r.End)
			down, _ := got.Check(report.StepSoundDown)
			if got.FailedCode != "meeting_ended" || down.Status != report.StatusUnknown {
				t.Errorf("failed at %s with %s, sound down %s %s, want meeting_ended and unknown", got.FailedStep, got.FailedCode, down.Status, down.Code)
			}
			if m := got.Media; m == nil || m.UpLossPct != nil || m.DownLossPct != nil {
				t.Errorf("figures of a call that was ended: %+v, want no loss", m)
			}
			checkAreas(t, got)
		})
	}
}

// TestStopsInTheMiddle: if a server stops during the call, the check reports a fault
// without waiting for it.
func TestStopsInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]bbbrig.Config{"2.7": {Version: "2.7"}, "3.0": {}, "LiveKit": {Version: "4.0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, c)
			got := during(t, r, r.Break)
			if got.FailedStep == "" || !word.MatchString(got.FailedCode) {
				t.Errorf("failed at %q with %q, want a step and a plain code", got.FailedStep, got.FailedCode)
			}
			checkAreas(t, got)
		})
	}
}

// TestWrongSDP: an answer that WebRTC cannot use fails at one of the steps of the call.
func TestWrongSDP(t *testing.T) {
	t.Parallel()
	replace := func(pattern, by string) func(string) string {
		re := regexp.MustCompile(pattern)
		return func(sdp string) string { return re.ReplaceAllString(sdp, by) }
	}
	for name, answer := range map[string]func(string) string{
		"empty":                    func(string) string { return "" },
		"cut off":                  func(sdp string) string { return sdp[:len(sdp)/2] },
		"huge":                     func(sdp string) string { return sdp + strings.Repeat("a=x\r\n", 20000) },
		"no ICE":                   replace(`a=ice-(ufrag|pwd):\S+\r\n`, ""),
		"no fingerprint":           replace(`a=fingerprint:[^\r]+\r\n`, ""),
		"an unknown hash function": replace(`a=fingerprint:sha-256`, "a=fingerprint:md5"),
		"an invalid fingerprint":   replace(`a=fingerprint:sha-256 \S+`, "a=fingerprint:sha-256 zz"),
		"no sound":                 replace(`m=audio \d+`, "m=audio 0"),
		"a picture":                replace(`m=audio`, "m=video"),
		"another codec":            replace(`opus/48000/2`, "PCMU/8000"),
		"no codec":                 replace(`a=rtpmap:[^\r]+\r\n`, ""),
		"a line too long":          replace(`a=mid:`, "a="+strings.Repeat("x", 40000)+"\r\na=mid:"),
		"bytes that are not text":  func(sdp string) string { return strings.ReplaceAll(sdp, "a=mid", "a=\x00\xff\xfe") },
		"passive on both sides":    replace(`a=setup:active`, "a=setup:holdconn"),
		"a port too high":          replace(`(a=candidate:\S+ \d+ udp \d+ \S+) \d+`, "$1 99999"),
		"no address":               replace(`a=candidate[^\r]+\r\n`, ""),
		"ten thousand addresses": func(sdp string) string {
			return sdp + strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 10000)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, bbbrig.Config{Answer: answer})
			got := check(t, r, r.JoinLink())
			if down, _ := got.Check(report.StepSoundDown); down.Status == report.StatusOK {
				return // WebRTC accepts it nevertheless
			}
			calls := []string{"call", "path", "keys", "sound_up", "sound_down"}
			if !slices.Contains(calls, got.FailedStep) || !word.MatchString(got.FailedCode) {
				t.Errorf("failed at %q with %q, want one of %v with a plain code", got.FailedStep, got.FailedCode, calls)
			}
		})
	}
}

// wrongClock is the clock of a computer whose date is wrong.
type wrongClock struct {
	probe.SystemClock
	off time.Duration
}

func (c wrongClock) Now() time.Time { return c.SystemClock.Now().Add(c.off) }

// TestWrongClock: a wrong date changes no result: the server judges its own tokens, and
// times are differences.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ten years ahead": 87600 * time.Hour, "ten years behind": -87600 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, bbbrig.Config{Version: "4.0"})
			e := probetest.Env(t)
			e.Clock = wrongClock{off: off}
			v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, r.JoinLink()), RootCAs: r.Roots, Direct: true}, e)
			defer v.Close()
			bbb.System{}.Check(t.Context(), v)
			conferencetest.Want(t, v.Data, heard)
			if !r.Left(8 * time.Second) {
				t.Errorf("left behind: %+v, want nothing", r.Count())
			}
		})
	}
}
