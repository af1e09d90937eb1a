package media_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// direct is a signaller for a reflector in this process.
type direct struct{ r *reflector.Reflector }

func (d direct) ICE(context.Context) (wire.ICEConfig, error) {
	return d.r.ICE("owner", "127.0.0.1"), nil
}

func (d direct) Offer(ctx context.Context, offer string) (answer, resource string, err error) {
	resource, answer, err = d.r.Offer(ctx, "owner", offer)
	return answer, resource, err
}

func (d direct) End(_ context.Context, resource string) (wire.EchoLog, error) {
	return d.r.End("owner", resource)
}

func newReflector(t testing.TB, change ...func(*reflector.Config)) *reflector.Reflector {
	t.Helper()
	c := reflector.Config{STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"}
	for _, f := range change {
		f(&c)
	}
	r, err := reflector.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close the reflector: %v", err)
		}
	})
	return r
}

func env() probe.Env {
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("TONPROBE_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return probe.Env{Clock: probe.SystemClock{}, Rand: rand.Reader, Log: log, Progress: func(probe.Event) {}}
}

// measure runs the probe and returns its result and data.
func measure(t testing.TB, ctx context.Context, e probe.Env, c media.VoiceConfig) (probe.Result, *report.MediaVoice) {
	t.Helper()
	r, err := media.NewVoice(c).Run(ctx, e)
	if err != nil {
		t.Fatalf("the probe could not run: %v", err)
	}
	d, ok := r.Data.(*report.MediaVoice)
	if !ok {
		t.Fatalf("data is %T", r.Data)
	}
	b, _ := json.Marshal(d)
	t.Logf("%s %q %s", r.Status, r.Note, b)
	return r, d
}

// repeatIfVoid repeats a run in which this computer missed its schedule according to
// the probe's self check. The measured figures have no influence on that.
func repeatIfVoid(t *testing.T, run func() (probe.Result, *report.MediaVoice)) (probe.Result, *report.MediaVoice) {
	t.Helper()
	const runs = 8
	for range runs {
		if r, d := run(); d.State != report.MediaSelfCheckVoid {
			return r, d
		}
		t.Log("repeated: this computer missed its schedule")
	}
	t.Fatalf("this computer missed its schedule in %d runs", runs)
	return probe.Result{}, nil
}

func TestHealthyLoopback(t *testing.T) {
	t.Parallel()
	r := newReflector(t)
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		return measure(t, t.Context(), env(), media.VoiceConfig{Signaller: direct{r}, Duration: 2 * time.Second})
	})
	if result.Status != report.StatusOK || d.State != report.MediaComplete {
		t.Fatalf("got status %s, state %s; want %s, %s", result.Status, d.State, report.StatusOK, report.MediaComplete)
	}
	if *d.Sent != 100 || *d.UpReceived != 100 || *d.DownReceived != 100 || *d.DownSent != 100 {
		t.Errorf("sent %d, got %d up, %d down of %d; want 100, 100, 100, 100", *d.Sent, *d.UpReceived, *d.DownReceived, *d.DownSent)
	}
	if d.Path != "host udp" {
		t.Errorf("got path %q, want %q", d.Path, "host udp")
	}
}
