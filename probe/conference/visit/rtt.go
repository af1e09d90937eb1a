package visit

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"
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

// RoundTrips measures the round trip of small requests over one connection and records
// the median. good evaluates the responses.
func (v *Visit) RoundTrips(ctx context.Context, at *url.URL, good func(*Answer) bool) Outcome {
	var took []time.Duration
	sum := time.Duration(0)
	for i := range roundTrips {
		began := v.Env.Clock.Now()
		a, err := v.Ask(ctx, http.MethodGet, at, nil, nil)
		switch {
		case err != nil && len(took) > 0:
			return v.noteRoundTrips(took)
		case err != nil:
			return Failed(err)
		case !good(a):
			return StatusFault(a.Status)
		case i > 0:
			took = append(took, v.Env.Clock.Now().Sub(began))
		}
		if sum += v.Env.Clock.Now().Sub(began); sum > seriesTime && len(took) >= fewTrips {
			break
		}
	}
	return v.noteRoundTrips(took)
}

func (v *Visit) noteRoundTrips(took []time.Duration) Outcome {
	slices.Sort(took)
	v.Data.RTTMS = new(Milliseconds(took[len(took)/2]))
	return OK()
}
