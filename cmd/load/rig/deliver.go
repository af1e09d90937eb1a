package rig

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Delivery is a prepared request that can be sent repeatedly.
type Delivery struct {
	Agent Agent
	IDs   []string // ids of its reports
	body  []byte   // gzip, as sent by agents
}

// Packer prepares deliveries. It must be used by one goroutine.
type Packer struct {
	kinds  []Template
	next   int
	plain  []byte
	packed bytes.Buffer
	gzip   *gzip.Writer
}

// NewPacker returns a Packer.
func NewPacker() (*Packer, error) {
	kinds, err := Templates()
	if err != nil {
		return nil, err
	}
	p := &Packer{kinds: kinds}
	p.gzip = gzip.NewWriter(&p.packed)
	return p, nil
}

// Pack returns a delivery of n new reports of an agent.
func (p *Packer) Pack(agent Agent, n int) (Delivery, error) {
	d := Delivery{Agent: agent}
	p.plain = append(p.plain[:0], `{"reports":[`...)
	for k := range n {
		if k > 0 {
			p.plain = append(p.plain, ',')
		}
		p.next++
		r, document, err := p.kinds[p.next%len(p.kinds)].New(agent.ID, time.Now())
		if err != nil {
			return d, err
		}
		p.plain = append(p.plain, document...)
		d.IDs = append(d.IDs, r.ID)
	}
	p.plain = append(p.plain, "]}"...)
	p.packed.Reset()
	p.gzip.Reset(&p.packed)
	if _, err := p.gzip.Write(p.plain); err != nil {
		return d, fmt.Errorf("pack a delivery: %w", err)
	}
	if err := p.gzip.Close(); err != nil {
		return d, fmt.Errorf("pack a delivery: %w", err)
	}
	d.body = bytes.Clone(p.packed.Bytes())
	return d, nil
}

// StatusError is a response other than 202.
type StatusError struct {
	Status int
	Body   string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the collector answered %d: %.200s", e.Status, e.Body)
}

// Statuses of a report in the collector's response.
const (
	Stored    = "stored"
	Duplicate = "duplicate"
)

// Send sends the delivery and returns the status of each report. It returns an
// error unless the collector has acknowledged all of them.
func (d Delivery) Send(ctx context.Context, client *http.Client, url string) (statuses []string, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/reports", bytes.NewReader(d.body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+d.Agent.Token)
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Content-Encoding", "gzip")
	resp, err := client.Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		return nil, &StatusError{resp.StatusCode, string(b)}
	}
	var answer struct {
		Results []struct{ ID, Status, Error string }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(answer.Results) != len(d.IDs) {
		return nil, fmt.Errorf("the collector answered for %d reports, want %d", len(answer.Results), len(d.IDs))
	}
	for i, r := range answer.Results {
		if r.ID != d.IDs[i] || r.Status != Stored && r.Status != Duplicate {
			return nil, fmt.Errorf("the collector answered %q for report %s: %.200s", r.Status, d.IDs[i], r.Error)
		}
		statuses = append(statuses, r.Status)
	}
	return statuses, nil
}
