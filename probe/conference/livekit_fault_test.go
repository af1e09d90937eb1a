//go:build linux

package conference_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestRealLiveKitRefuses: the server rejects the tokens.
func TestRealLiveKitRefuses(t *testing.T) {
	t.Parallel() // no figures of the line are asserted
	base := liveKit(t, bothTransports(t))
	good := room(t)
	for name, c := range map[string]struct {
		room  wire.Room
		steps map[report.ConferenceStep]string
	}{
		"expired": {wire.Room{Publish: token(t, liveKitSecret, good.Name, true, -10*time.Minute), Subscribe: good.Subscribe},
			map[report.ConferenceStep]string{report.StepSignIn: "fail token_refused", report.StepCall: "unknown step_before", report.StepPathRelay: "unknown step_before"}},
		"of a key that was revoked": {wire.Room{Publish: token(t, "another", good.Name, true, time.Minute), Subscribe: good.Subscribe},
			map[report.ConferenceStep]string{report.StepSignIn: "fail token_refused"}},
		"no token": {wire.Room{Publish: "nonsense", Subscribe: good.Subscribe},
			map[report.ConferenceStep]string{report.StepSignIn: "fail token_refused"}},
		"one participant twice": {wire.Room{Publish: good.Subscribe, Subscribe: good.Subscribe},
			map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail cut_off", report.StepPathTCP: "unknown step_before"}},
		"may not send": {wire.Room{Publish: signed(t, liveKitSecret, map[string]any{"iss": "devkey", "sub": "x", "exp": time.Now().Add(time.Minute).Unix(),
			"video": map[string]any{"room": good.Name, "roomJoin": true, "canPublish": false, "canSubscribe": false}}), Subscribe: good.Subscribe},
			map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail not_published"}},
		"another room": {wire.Room{Publish: good.Publish, Subscribe: token(t, liveKitSecret, "tonprobe-echo-"+rand.Text(), false, time.Minute)},
			map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepKeys: "ok", report.StepSoundUp: "ok", report.StepSoundDown: "fail no_track"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, got := join(t, base, &c.room, probetest.Env(t))
			conferencetest.Want(t, got, c.steps)
			if r.Status != report.StatusWarn {
				t.Errorf("got status %s, want %s", r.Status, report.StatusWarn)
			}
		})
	}
}

// TestRealLiveKitInTheMiddle: events during the stream are distinguished from a line that loses
// packets.
func TestRealLiveKitInTheMiddle(t *testing.T) {
	t.Parallel() // no figures of the line are asserted
	for name, c := range map[string]struct {
		do    func(a api, room string, kill func())
		steps map[report.ConferenceStep]string
	}{
		"muted by the server": {func(a api, room string, _ func()) {
			a.call("MutePublishedTrack", room, map[string]any{"room": room, "identity": "tonprobe-speaks", "track_sid": a.awaitTrack(room), "muted": true}, nil)
		}, map[report.ConferenceStep]string{report.StepSoundUp: "fail muted_by_server", report.StepSoundDown: "unknown step_before"}},
		"removed": {func(a api, room string, _ func()) {
			a.call("RemoveParticipant", room, map[string]any{"room": room, "identity": "tonprobe-listens"}, nil)
		}, map[report.ConferenceStep]string{report.StepSoundUp: "fail cut_off", report.StepSoundDown: "unknown step_before"}},
		"server killed": {func(_ api, _ string, kill func()) { kill() },
			map[report.ConferenceStep]string{report.StepSoundUp: "fail cut_off", report.StepSoundDown: "unknown step_before"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need.Programs(t, "livekit-server")
			web := freePort(t)
			base, kill := startLiveKit(t, web, liveKitConfig(web, bothTransports(t)))
			r, e := room(t), probetest.Env(t)
			heard, over := make(chan struct{}), make(chan struct{})
			first := sync.OnceFunc(func() { close(heard) })
			e.Net = filtered{e.Net, func(b []byte) bool {
				if isRTP(b) {
					first()
				}
				return true
			}, all}
			var acting sync.WaitGroup
			acting.Go(func() {
				// Wait for the voice: the track may be published before the keys are agreed.
				select {
				case <-heard:
					c.do(api{t, base}, r.Name, kill)
				case <-over:
					t.Error("the listener received no voice")
				}
			})
			_, got := join(t, base, r, e)
			close(over)
			acting.Wait()
			conferencetest.Want(t, got, c.steps)
			// The sockets of a killed server close one after the other: the kernel may accept
			// the next connection in between.
			if step, _ := got.Check(report.StepPathTCP); name == "server killed" && step.Status != report.StatusUnknown {
				t.Errorf("got another path %s %s, want it untested", step.Status, step.Code)
			}
			if m := got.Media; m == nil || m.DownLossPct != nil || m.UpLossPct != nil || m.State != report.MediaInterrupted {
				t.Errorf("got media %+v; want non-nil, no DownLossPct, no UpLossPct, State %v", m, report.MediaInterrupted)
			}
		})
	}
}

// TestRealLiveKitStopped: a cancelled check also leaves the room.
func TestRealLiveKitStopped(t *testing.T) {
	base, r := liveKit(t, bothTransports(t)), room(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e := probetest.Env(t)
	e.Net = filtered{e.Net, func(b []byte) bool {
		if isRTP(b) { // the keys are agreed
			cancel()
		}
		return true
	}, all}
	_, got := joinUntil(ctx, t, base, r, e)
	conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepKeys: "ok", report.StepSoundUp: "unknown no_time", report.StepPathTCP: "unknown no_time"})
	api{t, base}.awaitNobody(r.Name)
}

// TestRealLiveKitOverTCP: a network that blocks UDP, and one that blocks all media.
func TestRealLiveKitOverTCP(t *testing.T) {
	t.Parallel() // no figures of the line are asserted
	for name, c := range map[string]struct {
		rtc   string
		steps map[report.ConferenceStep]string
		path  string
	}{
		"with TCP": {bothTransports(t), map[report.ConferenceStep]string{report.StepPath: "ok", report.StepSoundDown: "ok", report.StepPathTCP: "ok"}, "host tcp"},
		"without TCP": {fmt.Sprintf("udp_port: %d, tcp_port: 0, enable_loopback_candidate: true", freePort(t)),
			map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: "fail no_path", report.StepSoundUp: "unknown step_before", report.StepPathTCP: "unknown step_before"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := liveKit(t, c.rtc)
			e := probetest.Env(t)
			e.Net = filtered{e.Net, func([]byte) bool { return false }, all}
			_, got := join(t, base, room(t), e)
			conferencetest.Want(t, got, c.steps)
			if got.Media == nil || got.Media.Path != c.path {
				t.Errorf("got media %+v; want non-nil, Path %v", got.Media, c.path)
			}
		})
	}
}

// TestRealLiveKitReceivesNothing: a listener that receives nothing although the server has
// received the voice and announced it.
func TestRealLiveKitReceivesNothing(t *testing.T) {
	t.Parallel() // no figures of the line are asserted
	base := liveKit(t, bothTransports(t))
	e := probetest.Env(t)
	e.Net = filtered{e.Net, func(b []byte) bool { return !isRTP(b) }, all}
	_, got := join(t, base, room(t), e)
	conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepKeys: "ok", report.StepSoundUp: "ok", report.StepSoundDown: "fail nothing_came_back"})
	if m := got.Media; m == nil || m.UpReceived == nil || *m.UpReceived == 0 || m.State != report.MediaNotFlowing {
		t.Errorf("got media %+v; want non-nil, UpReceived non-zero, State %v", m, report.MediaNotFlowing)
	}
}

func TestRealLiveKitLeavesNothingBehind(t *testing.T) {
	base := liveKit(t, bothTransports(t))
	run := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		joinUntil(ctx, t, base, room(t), probetest.Env(t))
	}
	run()
	before := runtime.NumGoroutine()
	for range 8 {
		run()
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+5; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}

// TestRealLiveKitLoss: loss is measured per direction. Every tenth packet of the stream is lost
// in one direction.
func TestRealLiveKitLoss(t *testing.T) {
	base := liveKit(t, bothTransports(t))
	eachTenth := func() func([]byte) bool {
		var n atomic.Int64
		return func(b []byte) bool { return !isRTP(b) || n.Add(1)%10 != 0 }
	}
	for name, c := range map[string]struct {
		in, out        func([]byte) bool
		upPct, downPct float64
	}{
		"up":   {all, eachTenth(), 10, 0},
		"down": {eachTenth(), all, 0, 10},
	} {
		t.Run(name, func(t *testing.T) {
			e := probetest.Env(t)
			e.Net = filtered{e.Net, c.in, c.out}
			_, got := join(t, base, room(t), e)
			m := got.Media
			if m == nil || m.UpLossPct == nil || m.DownLossPct == nil {
				t.Fatalf("got media %+v; want non-nil, UpLossPct set, DownLossPct set", m)
			}
			if math.Abs(*m.UpLossPct-c.upPct) > 1.5 || math.Abs(*m.DownLossPct-c.downPct) > 1.5 {
				t.Errorf("got a loss of %.2f %% up and %.2f %% down, want %.0f and %.0f", *m.UpLossPct, *m.DownLossPct, c.upPct, c.downPct)
			}
		})
	}
}

// isRTP distinguishes the packets of a stream from those of STUN, DTLS (RFC 7983 §7)
// and RTCP (RFC 5761 §4).
func isRTP(b []byte) bool { return len(b) > 1 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) }

func all([]byte) bool { return true }

// filtered is a network that passes only the datagrams that match.
type filtered struct {
	transport.Net
	in, out func([]byte) bool
}

func (f filtered) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := f.Net.ListenUDP(network, at)
	return filteredConn{c, f.in, f.out}, err
}

type filteredConn struct {
	transport.UDPConn
	in, out func([]byte) bool
}

func (c filteredConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.UDPConn.ReadFrom(b)
		if err != nil || c.in(b[:n]) {
			return n, from, err
		}
	}
}

func (c filteredConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if !c.out(b) {
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, to)
}
