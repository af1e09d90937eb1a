package visit

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// roundTrips is the number of requests of a series. The first one also opens the
// connection and does not count.
const roundTrips = 6

// On a line with long round trips, a series ends after seriesTime if fewTrips requests have
// been measured by then, to leave time for the other steps.
const (
	seriesTime = 500 * time.Millisecond
	fewTrips   = 2
)

// Series are small requests to one server.
type Series struct {
	// Ask sends a request. An error means that there was no usable response.
	Ask func(context.Context) (Outcome, error)
	// Requests is their number, including the first one; 0 means roundTrips.
	Requests int
	// Gap is the time between a response and the next request. It limits the data rate of a
	// server whose responses are not small.
	Gap time.Duration
}

// GetSeries returns the series of GET requests to an address. good evaluates the responses.
func (v *Visit) GetSeries(at *url.URL, good func(*Answer) bool) Series {
	return Series{Ask: func(ctx context.Context) (Outcome, error) {
		a, err := v.Ask(ctx, http.MethodGet, at, nil, nil)
		if err != nil {
			return Failed(err), err
		}
		if !good(a) {
			return StatusFault(a.Status), nil
		}
		return OK(), nil
	}}
}

// RoundTrips measures the round trip of a series and records the median.
func (v *Visit) RoundTrips(ctx context.Context, s Series) Outcome {
	var took []time.Duration
	sum := time.Duration(0)
	for i := range cmp.Or(s.Requests, roundTrips) {
		if i > 0 && s.Gap > 0 && v.Env.Clock.Sleep(ctx, s.Gap) != nil {
			break
		}
		began := v.Env.Clock.Now()
		o, err := s.Ask(ctx)
		switch {
		case err != nil && len(took) > 0:
			return v.noteRoundTrips(took)
		case err != nil || o.Status != report.StatusOK:
			return o
		case i > 0:
			took = append(took, v.Env.Clock.Now().Sub(began))
		}
		if sum += v.Env.Clock.Now().Sub(began); sum > seriesTime && len(took) >= fewTrips {
			break
		}
	}
	if len(took) == 0 {
		return Untested(NoTime)
	}
	return v.noteRoundTrips(took)
}

func (v *Visit) noteRoundTrips(took []time.Duration) Outcome {
	slices.Sort(took)
	v.Data.RTTMS = new(Milliseconds(took[len(took)/2]))
	return OK()
}
