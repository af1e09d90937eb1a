package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/load"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// lineCase is a line with known rates.
type lineCase struct {
	name             string
	up, down         direction
	delayMS          float64
	upWant, downWant float64 // kbit/s of the IP layer
}

// measured runs the probe and the collector's handlers over the line.
func measured(t *testing.T, c lineCase) (d *report.MediaLoad) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		line := newLine(c.up, c.down, time.Duration(c.delayMS*float64(time.Millisecond)))
		go line.run(ctx)
		listener := &emulatedListener{conns: make(chan net.Conn), ctx: ctx}
		a := &API{load: newLoadLimiter(time.Now)}
		agent := caller{Agent: store.Agent{ID: "a"}}
		mux := http.NewServeMux()
		for pattern, h := range map[string]func(http.ResponseWriter, *http.Request, caller) error{
			"POST /api/v1/load": a.uploadLoad, "GET /api/v1/load": a.downloadLoad, "GET /api/v1/load/arrivals": a.streamArrivals,
		} {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				if f, ok := errors.AsType[*Fault](h(w, r, agent)); ok {
					w.WriteHeader(f.Status)
				}
			})
		}
		server := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(listener)
		}()
		base := &url.URL{Scheme: "http", Host: "collector.example"}
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return line.dial(ctx, listener.conns)
		}}
		roundTrip := func(ctx context.Context) (time.Duration, error) {
			rtt := line.roundTrip()
			select {
			case <-time.After(rtt):
				return rtt, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		env := probe.Env{Clock: probe.SystemClock{}, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {}}
		r, err := load.New(load.Config{Base: base, Transport: transport, RoundTrip: roundTrip}).Run(ctx, env)
		if err != nil {
			t.Fatal(err)
		}
		d = r.Data.(*report.MediaLoad)
		if r.Note != "" {
			t.Logf("%s: %s", c.name, r.Note)
		}
		time.Sleep(2 * loadLimit) // until the last handler has ended
		cancel()
		<-served
	})
	return d
}

// emulatedListener accepts the dialled connections.
type emulatedListener struct {
	conns chan net.Conn
	ctx   context.Context
}

func (l *emulatedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ctx.Done():
		return nil, io.EOF
	}
}

func (l *emulatedListener) Close() error   { return nil }
func (l *emulatedListener) Addr() net.Addr { return emulatedAddr{} }

// lineCases combines rates and queues with equal directions, and adds lines of other
// shapes.
func lineCases() (all []lineCase) {
	for _, kbps := range []float64{300, 1000, 2000, 5000, 16000, 50000, 100000} {
		for _, queueMS := range []float64{50, 200, 500, 1000, 2000} {
			d := direction{kbps: kbps, queueMS: queueMS}
			all = append(all, lineCase{fmt.Sprintf("%g kbit/s, queue of %g ms", kbps, queueMS), d, d, 15, kbps, kbps})
		}
	}
	for _, c := range []struct {
		name     string
		up, down direction
		delayMS  float64
	}{
		{"DSL 16/1", direction{kbps: 1000, queueMS: 500}, direction{kbps: 16000, queueMS: 200}, 15},
		{"cable 100/6", direction{kbps: 6000, queueMS: 1000}, direction{kbps: 100000, queueMS: 100}, 10},
		{"rural 2/0.3", direction{kbps: 300, queueMS: 2000}, direction{kbps: 2000, queueMS: 1000}, 30},
		{"upload faster than download", direction{kbps: 20000, queueMS: 100}, direction{kbps: 3000, queueMS: 300}, 20},
		{"shaped to 2 Mbit/s, burst of 32 kB", shaped(2000, 32), shaped(2000, 32), 15},
		{"shaped to 10 Mbit/s, burst of 256 kB", shaped(10000, 256), shaped(10000, 256), 15},
		{"shaped to 10 Mbit/s, burst of 1 MB", shaped(10000, 1000), shaped(10000, 1000), 15},
		{"shaped to 50 Mbit/s, burst of 1 MB", shaped(50000, 1000), shaped(50000, 1000), 15},
		{"shaped to 100 Mbit/s, burst of 256 kB", shaped(100000, 256), shaped(100000, 256), 15},
		{"10 Mbit/s, far away", direction{kbps: 10000, queueMS: 200}, direction{kbps: 10000, queueMS: 200}, 75},
		{"100 Mbit/s, near", direction{kbps: 100000, queueMS: 50}, direction{kbps: 100000, queueMS: 50}, 3},
		{"100 Mbit/s, 60 ms", direction{kbps: 100000, queueMS: 100}, direction{kbps: 100000, queueMS: 100}, 30},
	} {
		all = append(all, lineCase{c.name, c.up, c.down, c.delayMS, c.up.kbps, c.down.kbps})
	}
	return all
}

// shaped returns a token bucket that passes a burst before it limits to the rate.
func shaped(kbps, burstKB float64) direction {
	return direction{kbps: kbps, queueMS: 200, burstBytes: burstKB * 1000}
}

// TestLoadCurve compares the rates of media.load with those of emulated lines: they
// must agree within 10 %. TONPROBE_LOAD_CURVE=file writes the table as Markdown.
func TestLoadCurve(t *testing.T) {
	var table strings.Builder
	fmt.Fprintln(&table, "| line | up true | up measured (95 %) | error | down true | down measured (95 %) | error | round trip idle / up / down |")
	fmt.Fprintln(&table, "|---|---|---|---|---|---|---|---|")
	for i, c := range lineCases() {
		if need.Short() && i%4 != 0 {
			continue
		}
		d := measured(t, c)
		fmt.Fprintf(&table, "| %s | %s | %s | %s / %s / %s |\n", c.name, row(c.upWant, d.UpKbps, d.UpCI95), row(c.downWant, d.DownKbps, d.DownCI95),
			ms(d.IdleRTTMS), ms(d.LoadedRTTUpMS), ms(d.LoadedRTTDownMS))
		for way, v := range map[string]struct {
			got  *float64
			want float64
		}{"up": {d.UpKbps, c.upWant}, "down": {d.DownKbps, c.downWant}} {
			if v.got == nil || math.Abs(*v.got-v.want) > 0.1*v.want {
				t.Errorf("%s, %s: got %s kbit/s, want %g", c.name, way, ms(v.got), v.want)
			}
		}
	}
	t.Logf("\n%s", table.String())
	if to := os.Getenv("TONPROBE_LOAD_CURVE"); to != "" {
		if err := os.WriteFile(to, []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func row(want float64, got *float64, ci *report.Interval) string {
	if got == nil {
		return fmt.Sprintf("%g | not told | ", want)
	}
	interval := ""
	if ci != nil {
		interval = fmt.Sprintf(" (%.0f to %.0f)", ci[0], ci[1])
	}
	return fmt.Sprintf("%g | %.0f%s | %+.1f %%", want, *got, interval, 100*(*got-want)/want)
}

func ms(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *v)
}
