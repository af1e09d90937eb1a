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
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The phases of media.load: 3.8 s in all, and at most 4 MB each way.
const (
	idleTime = 800 * time.Millisecond
	fullTime = 1500 * time.Millisecond
)

// loadPace is how often the round trip is taken while a phase runs.
var loadPace = pace{every: 50 * time.Millisecond, wait: 2 * time.Second}

// uploads grow, so that a slow line gets one through and a fast one is filled.
// Each waits for the collector's receipt: what is still in this computer's own
// buffers has not been sent. Together they are 3.9 MB.
var uploads = [...]int{16 << 10, 64 << 10, 256 << 10, 1 << 20, 5 << 19}

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
	data.IdleRTTMS = roundTrip(ctx, env, ask, idleTime, nil)
	var down, up rate
	var downErr, upErr error
	data.LoadedRTTDownMS = roundTrip(ctx, env, ask, fullTime, func(ctx context.Context) { down, downErr = p.receive(ctx, env.Clock) })
	if errors.Is(downErr, errBusy) {
		return probe.Result{
			Status: report.StatusUnknown, Note: "the collector is measuring other lines: ask again later",
			Data: &report.MediaLoad{IdleRTTMS: data.IdleRTTMS},
		}, nil
	}
	data.LoadedRTTUpMS = roundTrip(ctx, env, ask, fullTime, func(ctx context.Context) { up, upErr = p.send(ctx, env.Clock) })
	data.DownKbps, data.DownBytes = down.kbps, &down.moved
	data.UpKbps, data.UpBytes = up.kbps, &up.moved
	if err := errors.Join(downErr, upErr); err != nil {
		env.Log.Info("the line could not be filled", "err", report.ErrorText(err))
	}
	if data.DownKbps == nil || data.UpKbps == nil {
		return probe.Result{Status: report.StatusUnknown, Note: "the collector did not take part in the measurement to its end", Data: data}, nil
	}
	return probe.Result{Status: report.StatusOK, Data: data}, nil
}

// question asks the collector's STUN server; nil where none is known.
func (p load) question(ctx context.Context, env probe.Env) question {
	at := path{PathConfig{ICE: p.ICE, Resolver: p.Resolver}}.stunServer(ctx, env)
	if !at.IsValid() {
		return nil
	}
	return func(ctx context.Context) (echo.Reply, error) { return askSTUN(ctx, env, at) }
}

// roundTrip takes the median round trip for a time, while work goes on; nil
// where nothing was answered.
func roundTrip(ctx context.Context, env probe.Env, ask question, lasting time.Duration, work func(context.Context)) *float64 {
	phase, cancel := context.WithTimeout(ctx, lasting)
	defer cancel()
	result := make(chan *stream, 1)
	go func() {
		if ask == nil {
			result <- &stream{}
			return
		}
		// The answers to the last packets are waited for beyond the phase.
		p := loadPace
		p.count = int(lasting / p.every)
		result <- runStream(ctx, env, p, ask)
	}()
	if work != nil {
		work(phase)
	}
	s := <-result
	if s.answered() == 0 {
		return nil
	}
	return milliseconds(median(s.rtts))
}

// errBusy: the collector bounds how much is measured at once.
var errBusy = errors.New("the collector has no room for a measurement")

// rate is what a phase reached.
type rate struct {
	kbps  *float64
	moved int // bytes
}

// reached sets the rate from bytes and a time.
func (r *rate) reached(n int64, took time.Duration) {
	if n > 0 && took > 0 {
		r.kbps = new(float64(n) * 8 / (took.Seconds() * 1000))
	}
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
			r.reached(last.bytes-a.bytes, last.at.Sub(a.at))
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
		if ms := time.Duration(receipt.MS * float64(time.Millisecond)); ms > time.Millisecond && ms <= took {
			r.reached(receipt.Bytes, ms)
			continue
		}
		r.reached(int64(size), took)
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
