package reports

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

// delivery is a request that is ready to be sent.
type delivery struct {
	agent rig.Agent
	body  []byte // gzip, as agents send it
	ids   []string
}

// prepare makes n deliveries of size reports each, from one agent after the other.
// The work is done before the clock starts: the load program shares the processors
// with the collector.
func prepare(agents []rig.Agent, n, size int) ([]delivery, error) {
	kinds, err := rig.Templates()
	if err != nil {
		return nil, err
	}
	all := make([]delivery, n)
	var plain []byte
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for i := range all {
		d := delivery{agent: agents[i%len(agents)]}
		plain = append(plain[:0], `{"reports":[`...)
		for k := range size {
			if k > 0 {
				plain = append(plain, ',')
			}
			r, document, err := kinds[(i+k)%len(kinds)].New(d.agent.ID, time.Now())
			if err != nil {
				return nil, err
			}
			plain = append(plain, document...)
			d.ids = append(d.ids, r.ID)
		}
		plain = append(plain, "]}"...)
		packed.Reset()
		z.Reset(&packed)
		if _, err := z.Write(plain); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		d.body = slices.Clone(packed.Bytes())
		all[i] = d
	}
	return all, nil
}

// delivered is what came of the deliveries.
type delivered struct {
	reports int
	took    time.Duration
	answers []time.Duration // sorted
	ids     []string        // of the reports that the collector has promised to keep
	faults  []error
}

// deliver sends all from a number of senders, each one after the other.
func deliver(ctx context.Context, url string, all []delivery, senders int) delivered {
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
				err := send(ctx, client, url, all[i])
				took := time.Since(sent)
				mu.Lock()
				d.answers = append(d.answers, took)
				if err != nil {
					d.faults = append(d.faults, err)
				} else {
					d.ids = append(d.ids, all[i].ids...)
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

// send returns an error unless every report was stored.
func send(ctx context.Context, client *http.Client, url string, d delivery) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/reports", bytes.NewReader(d.body))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+d.agent.Token)
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Content-Encoding", "gzip")
	resp, err := client.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the collector answered %s: %.200s", resp.Status, b)
	}
	var answer struct {
		Results []struct{ Status, Error string }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if len(answer.Results) != len(d.ids) {
		return errors.New("the collector answered for another number of reports")
	}
	for _, r := range answer.Results {
		if r.Status != "stored" {
			return fmt.Errorf("the collector answered %q: %.200s", r.Status, r.Error)
		}
	}
	return nil
}
