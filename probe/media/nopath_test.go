package media_test

import (
	"context"
	"net"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/reflector"
)

func TestPathAroundAFirewall(t *testing.T) {
	r := newReflector(t, func(c *reflector.Config) { c.Limits.SessionsPerOwner = 100 }) // all at once
	mediaPort := r.MediaAddr().Port()
	yes, no := new(true), new(false)
	for _, c := range []struct {
		name                 string
		udp, tcp             func(int) bool
		path                 string
		state                report.MediaState
		directUDP, directTCP *bool
	}{
		{"nothing blocked", none, none, "host udp", report.MediaComplete, yes, nil},
		{"UDP blocked", all, none, "host tcp", report.MediaComplete, no, yes},
		// A relay over UDP is preferred to a direct path over TCP.
		{"the media port's UDP blocked", only(mediaPort), none, "relay udp", report.MediaComplete, no, yes},
		{"only TURN over UDP open", only(mediaPort), all, "relay udp", report.MediaComplete, no, nil},
		{"only TURN over TCP open", all, only(mediaPort), "relay tcp", report.MediaComplete, no, nil},
		{"all blocked", all, all, "", report.MediaICEFailed, no, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := env()
			e.Net = newFirewall(t, c.udp, c.tcp)
			var s media.Signaller = direct{r}
			if c.tcp(int(mediaPort)) {
				s = withoutTCP{direct{r}}
			}
			result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
				return measure(t, t.Context(), e, media.VoiceConfig{
					Signaller: s, Duration: time.Second, TCPAfter: 500 * time.Millisecond, ICELimit: 3500 * time.Millisecond,
				})
			})
			if d.State != c.state || d.Path != c.path {
				t.Errorf("got state %q, path %q; want %q, %q", d.State, d.Path, c.state, c.path)
			}
			if !reflect.DeepEqual(d.DirectUDP, c.directUDP) || !reflect.DeepEqual(d.DirectTCP, c.directTCP) {
				t.Errorf("media port: got UDP %v, TCP %v; want %v, %v", probetest.Value(d.DirectUDP), probetest.Value(d.DirectTCP), probetest.Value(c.directUDP), probetest.Value(c.directTCP))
			}
			if c.state == report.MediaICEFailed && result.Status != report.StatusFail {
				t.Errorf("got status %s, want %s", result.Status, report.StatusFail)
			}
			if c.state == report.MediaComplete && (*d.UpLossPct != 0 || *d.DownLossPct != 0) {
				t.Errorf("got a loss of %.1f %% up, %.1f %% down, want none", *d.UpLossPct, *d.DownLossPct)
			}
		})
	}
}

// hooked modifies a signaller's responses.
type hooked struct {
	direct
	ice error
	end error
}

func (h hooked) ICE(ctx context.Context) (wire.ICEConfig, error) {
	if h.ice != nil {
		return wire.ICEConfig{}, h.ice
	}
	return h.direct.ICE(ctx)
}

func (h hooked) End(ctx context.Context, resource string) (wire.EchoLog, error) {
	if h.end != nil {
		return wire.EchoLog{}, h.end
	}
	return h.direct.End(ctx, resource)
}

func TestWithoutCollector(t *testing.T) {
	result, d := measure(t, t.Context(), env(), media.VoiceConfig{})
	if d.State != report.MediaNotEnrolled || result.Status != report.StatusUnknown {
		t.Errorf("got state %s, status %s; want %s, %s", d.State, result.Status, report.MediaNotEnrolled, report.StatusUnknown)
	}
}

func TestSignallingFaultsDoNotBlameTheLine(t *testing.T) {
	for _, c := range []struct {
		err  error
		want report.MediaState
	}{
		{&net.OpError{Op: "dial", Err: errRefused}, report.MediaNoSignalling},
		{context.DeadlineExceeded, report.MediaNoSignalling},
		{&media.SignalError{Status: 503, Code: "busy"}, report.MediaServerError},
		{&media.SignalError{Status: 401, Code: "token_invalid"}, report.MediaUnknownAgent},
		{&media.SignalError{Status: 403, Code: "participant_blocked"}, report.MediaBlocked},
		{&media.SignalError{Status: 401, Code: "not json"}, report.MediaServerError},
	} {
		result, d := measure(t, t.Context(), env(), media.VoiceConfig{Signaller: hooked{ice: c.err}})
		if d.State != c.want || result.Status != report.StatusUnknown || d.UpLossPct != nil {
			t.Errorf("%v: got state %s, status %s; want %s, %s without loss", c.err, d.State, result.Status, c.want, report.StatusUnknown)
		}
	}
}

// midStream calls f once, halfway through the stream.
func midStream(f func()) probe.Env {
	e := env()
	var done atomic.Bool
	e.Progress = func(ev probe.Event) {
		if ev.Kind == probe.EventProgress && ev.Fraction >= 0.3 && done.CompareAndSwap(false, true) {
			f()
		}
	}
	return e
}

func TestLineDiesMidStream(t *testing.T) {
	t.Parallel()
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		r := newReflector(t)
		link := newEmulatedLink(t, net.UDPAddrFromAddrPort(r.MediaAddr()), impairment{}, impairment{})
		e := midStream(func() { link.dead.Store(true) })
		return measure(t, t.Context(), e, media.VoiceConfig{Signaller: linked{direct{r}, link}, Duration: 4 * time.Second})
	})
	if d.State != report.MediaInterrupted || result.Status != report.StatusFail {
		t.Errorf("got state %s, status %s; want %s, %s", d.State, result.Status, report.MediaInterrupted, report.StatusFail)
	}
	if d.UpLossPct == nil || *d.UpLossPct < 50 {
		t.Errorf("the log contains packets that never arrived: %v", probetest.Value(d.UpLossPct))
	}
}

func TestReflectorKilledMidStream(t *testing.T) {
	t.Parallel()
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		r := newReflector(t)
		e := midStream(func() { go r.Close() })
		return measure(t, t.Context(), e, media.VoiceConfig{
			Signaller: hooked{direct: direct{r}, end: errRefused}, Duration: 4 * time.Second,
		})
	})
	if d.State != report.MediaInterrupted || result.Status != report.StatusUnknown {
		t.Errorf("got state %s, status %s; want unknown, because our own server is silent", d.State, result.Status)
	}
}

func TestNothingFlows(t *testing.T) {
	t.Parallel()
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		r := newReflector(t)
		lose := impairment{lost: randomLoss(1)}
		link := newEmulatedLink(t, net.UDPAddrFromAddrPort(r.MediaAddr()), impairment{}, lose)
		return measure(t, t.Context(), env(), media.VoiceConfig{Signaller: linked{direct{r}, link}, Duration: time.Second})
	})
	if d.State != report.MediaNotFlowing || result.Status != report.StatusFail {
		t.Errorf("got state %s, status %s; want %s, %s", d.State, result.Status, report.MediaNotFlowing, report.StatusFail)
	}
	if *d.UpLossPct != 0 || *d.DownLossPct != 100 {
		t.Errorf("got a loss of %.1f %% up, %.1f %% down; want it only down", *d.UpLossPct, *d.DownLossPct)
	}
}

func TestWithoutLog(t *testing.T) {
	t.Parallel()
	var link *emulatedLink
	_, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		r := newReflector(t)
		link = newEmulatedLink(t, net.UDPAddrFromAddrPort(r.MediaAddr()),
			impairment{lost: burstLoss(25, 5)}, impairment{lost: burstLoss(20, 2)})
		return measure(t, t.Context(), env(), media.VoiceConfig{
			Signaller: noLog{linked{direct{r}, link}}, Duration: 2 * time.Second,
		})
	})
	if d.State != report.MediaComplete {
		t.Fatalf("got state %s, want %s", d.State, report.MediaComplete)
	}
	up, down := link.up.truth(), link.down.truth()
	var f differences
	f.near("up loss", *d.UpLossPct, 100*float64(up.dropped)/float64(up.passed+up.dropped), 5) // loss at the very end may go unnoticed
	f.near("down loss", *d.DownLossPct, 100*float64(down.dropped)/float64(down.passed+down.dropped), 5)
	if len(f) > 0 {
		t.Errorf("%q", f)
	}
}

type noLog struct{ linked }

func (noLog) End(context.Context, string) (wire.EchoLog, error) { return wire.EchoLog{}, errRefused }

func TestCancelledMidStream(t *testing.T) {
	t.Parallel()
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		ctx, cancel := context.WithCancel(t.Context())
		return measure(t, ctx, midStream(cancel), media.VoiceConfig{Signaller: direct{newReflector(t)}, Duration: 4 * time.Second})
	})
	if d.State != report.MediaInterrupted || result.Status != report.StatusUnknown || d.RTTP50MS == nil {
		t.Errorf("got state %s, status %s, round trip %v; want %s, %s with a round trip", d.State, result.Status, probetest.Value(d.RTTP50MS), report.MediaInterrupted, report.StatusUnknown)
	}
	if d.UpLossPct == nil || *d.UpLossPct != 0 || *d.DownLossPct != 0 {
		t.Errorf("cancelled packets count as loss: %v", probetest.Value(d.UpLossPct))
	}
}

func TestStreamFitsTheBudget(t *testing.T) {
	t.Parallel()
	r := newReflector(t)
	_, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		return measure(t, ctx, env(), media.VoiceConfig{Signaller: direct{r}, Duration: time.Minute})
	})
	if d.State != report.MediaComplete || *d.Sent < 100 || *d.Sent > 200 {
		t.Errorf("got state %s after %d packets; want %s, 100 to 200", d.State, *d.Sent, report.MediaComplete)
	}
}

// slowMachine sends every packet late, like an overloaded computer.
type slowMachine struct{ probe.SystemClock }

func (c slowMachine) Sleep(ctx context.Context, d time.Duration) error {
	return c.SystemClock.Sleep(ctx, d+30*time.Millisecond)
}

func TestOwnSlownessIsNotBlamedOnTheLine(t *testing.T) {
	t.Parallel()
	r := newReflector(t)
	e := env()
	e.Clock = slowMachine{}
	result, d := measure(t, t.Context(), e, media.VoiceConfig{Signaller: direct{r}, Duration: 2 * time.Second})
	if d.State != report.MediaSelfCheckVoid || result.Status != report.StatusUnknown || d.UpJitterMS != nil || d.UpLossPct != nil {
		t.Errorf("got state %s, status %s, jitter %v, want %s, %s and no figures", d.State, result.Status, probetest.Value(d.UpJitterMS), report.MediaSelfCheckVoid, report.StatusUnknown)
	}
}

// answering returns a fixed answer and counts the sessions that it is asked to end.
type answering struct {
	direct
	answer string
	ended  *atomic.Int32
}

func (s answering) Offer(ctx context.Context, offer string) (string, string, error) {
	_, resource, err := s.direct.Offer(ctx, offer)
	return s.answer, resource, err
}

func (s answering) End(ctx context.Context, resource string) (wire.EchoLog, error) {
	s.ended.Add(1)
	return s.direct.End(ctx, resource)
}

func TestInvalidAnswerIsTheServersFault(t *testing.T) {
	r := newReflector(t)
	for name, answer := range map[string]string{
		"empty": "", "html": "<html>login</html>", "no media": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
		"no keys": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n",
	} {
		ended := new(atomic.Int32)
		result, d := measure(t, t.Context(), env(), media.VoiceConfig{Signaller: answering{direct{r}, answer, ended}})
		if d.State != report.MediaServerError || result.Status != report.StatusUnknown {
			t.Errorf("%s: got state %s, status %s; want %s, %s", name, d.State, result.Status, report.MediaServerError, report.StatusUnknown)
		}
		if ended.Load() != 1 {
			t.Errorf("%s: the session was not ended", name)
		}
	}
}

// TestNoLeaks: the service runs this probe for months.
func TestNoLeaks(t *testing.T) {
	r := newReflector(t)
	before := runtime.NumGoroutine()
	measure(t, t.Context(), env(), media.VoiceConfig{Signaller: direct{r}, Duration: 200 * time.Millisecond})
	e := env()
	e.Net = newFirewall(t, all, all)
	measure(t, t.Context(), e, media.VoiceConfig{Signaller: withoutTCP{direct{r}}, ICELimit: 300 * time.Millisecond})
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			dump := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), dump[:runtime.Stack(dump, true)])
		}
	}
}
