package reports

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

// prepare returns n deliveries of size reports each, from the agents in turn. They
// are prepared before the measurement, because the load program shares the
// processors with the collector.
func prepare(agents []rig.Agent, n, size int) ([]rig.Delivery, error) {
	packer, err := rig.NewPacker()
	if err != nil {
		return nil, err
	}
	all := make([]rig.Delivery, n)
	for i := range all {
		if all[i], err = packer.Pack(agents[i%len(agents)], size); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// delivered contains the results of the deliveries.
type delivered struct {
	reports int
	took    time.Duration
	answers []time.Duration // sorted
	ids     []string        // ids of the acknowledged reports
	faults  []error
}

// deliver sends all deliveries from a number of concurrent senders.
func deliver(ctx context.Context, url string, all []rig.Delivery, senders int) delivered {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: senders, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var d delivered
	var mu sync.Mutex
	var next atomic.Int64
	var wait sync.WaitGroup
	began := time.Now()
	for range senders {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(all) || ctx.Err() != nil {
					return
				}
				sent := time.Now()
				_, err := all[i].Send(ctx, client, url)
				took := time.Since(sent)
				mu.Lock()
				d.answers = append(d.answers, took)
				if err != nil {
					d.faults = append(d.faults, err)
				} else {
					d.ids = append(d.ids, all[i].IDs...)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	d.took = time.Since(began)
	d.reports = len(d.ids)
	slices.Sort(d.answers)
	return d
}
