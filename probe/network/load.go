package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The phases of media.load: 6.8 s in all and at most 4 MB each way. A line on
// which packets wait for more than a second needs two seconds until it does.
const (
	idleTime = 800 * time.Millisecond
	fullTime = 3 * time.Second
)

// The round trip is asked for at a steady pace; answers are waited for so long,
// also beyond their phase.
const (
	askEvery = 25 * time.Millisecond
	askWait  = 1500 * time.Millisecond
)

// uploads grow, so that a slow line gets one through and a fast one is filled.
// Each waits for the collector's receipt: what is still in this computer's own
// buffers has not been sent. Together they are 3.9 MB.
var uploads = [...]int{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 5 << 19}

// LoadConfig says against which collector to measure.
type LoadConfig struct {
	Base   *url.URL
	Token  string
	Client *http.Client // nil: http.DefaultClient
	// ICE tells the collector's STUN server, by which the round trip is taken.
	ICE func(context.Context) (wire.ICEConfig, error)
	// Resolver looks up names; nil is the system's own.
	Resolver Resolver
}

// NewLoad is the probe "media.load". Its data is a *report.MediaLoad. It fills
// the line and is to run only when somebody asks for it.
func NewLoad(c LoadConfig) probe.Probe {
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Resolver == nil {
		c.Resolver = systemResolver
	}
	return load{c}
}

type load struct{ LoadConfig }

func (load) Name() string { return report.ProbeMediaLoad }
func (load) Version() int { return 1 }

// Run measures at rest, then while receiving, then while sending.
func (p load) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.MediaLoad{}
	ask := p.question(ctx, env)
	data.IdleRTTMS = atRest(ctx, env, ask)
	trusted := trustworthy(data.IdleRTTMS)
	down, rtt, err := whileFull(ctx, env, ask, p.receive)
	if errors.Is(err, errBusy) {
		return unknownLoad(data, "the collector is measuring other lines: ask again later"), nil
	}
	data.DownKbps, data.DownBytes, data.LoadedRTTDownMS = down.kbps(trusted), &down.moved, rtt
	up, rtt, upErr := whileFull(ctx, env, ask, p.send)
	data.UpKbps, data.UpBytes, data.LoadedRTTUpMS = up.kbps(trusted), &up.moved, rtt
	if err := errors.Join(err, upErr); err != nil {
		env.Log.Info("the line could not be filled", "err", report.ErrorText(err))
		return unknownLoad(data, "the collector did not take part in the measurement to its end"), nil
	}
	if data.DownKbps == nil || data.UpKbps == nil {
		return unknownLoad(data, "the time was too short to fill the line"), nil
	}
	return probe.Result{Status: report.StatusOK, Data: data}, nil
}

func unknownLoad(d *report.MediaLoad, why string) probe.Result {
	return probe.Result{Status: report.StatusUnknown, Note: why, Data: d}
}

// question asks the collector's STUN server; nil where none is known.
func (p load) question(ctx context.Context, env probe.Env) question {
	at := path{PathConfig{ICE: p.ICE, Resolver: p.Resolver}}.stunServer(ctx, env)
	if !at.IsValid() {
		return nil
	}
	return func(ctx context.Context) (echo.Reply, error) { return askSTUN(ctx, env, at) }
}

// atRest is the median round trip before anything is sent, in ms.
func atRest(ctx context.Context, env probe.Env, ask question) *float64 {
	begin := env.Clock.Now()
	phase, cancel := context.WithTimeout(ctx, idleTime)
	defer cancel()
	return medianSince(roundTrips(ctx, phase, env, ask), begin)
}

// whileFull runs work for as long as a phase may last, and takes the median round
// trip of the second half of it, in ms: the queue fills in the first.
func whileFull(ctx context.Context, env probe.Env, ask question, work func(context.Context, probe.Clock) (rate, error)) (rate, *float64, error) {
	phase, cancel := context.WithTimeout(ctx, fullTime)
	defer cancel()
	taken := make(chan []roundTrip, 1)
	begin := env.Clock.Now()
	go func() { taken <- roundTrips(ctx, phase, env, ask) }()
	r, err := work(phase, env.Clock)
	took := env.Clock.Now().Sub(begin)
	cancel() // the line is idle from here on
	return r, medianSince(<-taken, begin.Add(took/2)), err
}

// roundTrip is one answer, and when it was asked for.
type roundTrip struct {
	asked time.Time
	took  time.Duration
}

// roundTrips asks until phase is done and waits for the answers. ctx ends all of
// it.
func roundTrips(ctx, phase context.Context, env probe.Env, ask question) (all []roundTrip) {
	if ask == nil {
		return nil
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for phase.Err() == nil {
		wg.Go(func() {
			waiting, cancel := context.WithTimeout(ctx, askWait)
			defer cancel()
			asked := env.Clock.Now()
			r, err := ask(waiting)
			if err != nil || r.RTT < 0 || r.RTT > askWait { // the clock may have been set
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, roundTrip{asked, r.RTT})
		})
		if env.Clock.Sleep(phase, askEvery) != nil {
			break
		}
	}
	wg.Wait()
	return all
}

// fewestAnswers make a median.
const fewestAnswers = 3

func medianSince(all []roundTrip, begin time.Time) *float64 {
	var took []time.Duration
	for _, r := range all {
		if !r.asked.Before(begin) {
			took = append(took, r.took)
		}
	}
	if len(took) < fewestAnswers {
		return nil
	}
	return milliseconds(median(took))
}

// errBusy: the collector bounds how much is measured at once.
var errBusy = errors.New("the collector has no room for a measurement")

// rate is what a phase reached.
type rate struct {
	moved   int // bytes in all
	counted int64
	took    time.Duration // for those counted
}

// A TCP needs several round trips to get up to speed (RFC 5681 §3.1). What it
// reached before says how far the server is, not what the line carries, unless
// that is enough for everything.
const (
	roundTripsNeeded  = 6
	enoughKbps        = 2000
	neededWithoutAnRT = time.Second
)

// trustworthy is how long bytes must have flowed for their rate to count.
func trustworthy(idleRTTMS *float64) time.Duration {
	if idleRTTMS == nil {
		return neededWithoutAnRT
	}
	return time.Duration(roundTripsNeeded * *idleRTTMS * float64(time.Millisecond))
}

// kbps is the rate, or nil where it tells nothing of the line.
func (r rate) kbps(trusted time.Duration) *float64 {
	if r.counted <= 0 || r.took <= 0 {
		return nil
	}
	kbps := float64(r.counted) * 8 / (r.took.Seconds() * 1000)
	if r.took < trusted && kbps < enoughKbps {
		return nil
	}
	return &kbps
}

// receive reads until the time is over. The first third does not count: TCP is
// only getting up to speed there (RFC 5681 §3.1).
func (p load) receive(ctx context.Context, clock probe.Clock) (r rate, err error) {
	at := p.Base.JoinPath(wire.PathLoad)
	at.RawQuery = url.Values{"bytes": {strconv.Itoa(wire.MaxLoadBytes)}}.Encode()
	resp, err := p.do(ctx, http.MethodGet, at, nil)
	if err != nil {
		return r, err
	}
	defer func() { _ = resp.Body.Close() }()
	arrivals := []arrival{{clock.Now(), 0}}
	b := make([]byte, 32<<10)
	body := io.LimitReader(resp.Body, wire.MaxLoadBytes)
	for {
		n, err := body.Read(b)
		if n > 0 {
			r.moved += n
			arrivals = append(arrivals, arrival{clock.Now(), int64(r.moved)})
		}
		if err != nil {
			break // the end, or the end of the time
		}
	}
	last := arrivals[len(arrivals)-1]
	for _, a := range arrivals {
		if 3*a.at.Sub(arrivals[0].at) >= last.at.Sub(arrivals[0].at) {
			r.counted, r.took = last.bytes-a.bytes, last.at.Sub(a.at)
			break
		}
	}
	return r, nil
}

// arrival is how much had come by a time.
type arrival struct {
	at    time.Time
	bytes int64
}

// send uploads ever more until the time is over. The largest one that the
// collector confirmed counts.
func (p load) send(ctx context.Context, clock probe.Clock) (r rate, err error) {
	payload := make([]byte, uploads[len(uploads)-1])
	for i := range payload { // nothing that compresses: a mixed counter (splitmix64)
		x := uint64(i)*0x9E3779B97F4A7C15 + 1
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		payload[i] = byte(x >> 56)
	}
	for _, size := range uploads {
		start := clock.Now()
		receipt, err := p.upload(ctx, payload[:size])
		if ctx.Err() != nil {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		r.moved += size
		took := clock.Now().Sub(start)
		r.counted, r.took = int64(size), took
		if ms := time.Duration(receipt.MS * float64(time.Millisecond)); ms > time.Millisecond && ms <= took {
			r.counted, r.took = receipt.Bytes, ms
		}
	}
	return r, nil
}

func (p load) upload(ctx context.Context, body []byte) (receipt wire.LoadReceipt, err error) {
	resp, err := p.do(ctx, http.MethodPost, p.Base.JoinPath(wire.PathLoad), body)
	if err != nil {
		return receipt, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&receipt); err != nil {
		return receipt, fmt.Errorf("read the collector's receipt: %w", err)
	}
	if receipt.Bytes < 0 || receipt.Bytes > int64(len(body)) || !(receipt.MS >= 0) {
		return wire.LoadReceipt{}, errors.New("the collector's receipt does not fit what was sent")
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection is used again
	return receipt, nil
}

func (p load) do(ctx context.Context, method string, at *url.URL, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask for load: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token)
	req.Header.Set("Accept-Encoding", "identity")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := p.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for load: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
			return nil, fmt.Errorf("ask for load: %w", errBusy)
		}
		return nil, fmt.Errorf("ask for load: the collector answered with status %d", resp.StatusCode)
	}
	return resp, nil
}
