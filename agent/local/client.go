package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Limits of the requests of a program.
const (
	connectTime = time.Second
	// askTime limits a request that the service answers by itself. A program waits for it
	// at startup.
	askTime = 3 * time.Second
	// enrollTime and checkTime include requests of the service to the collector.
	enrollTime = 25 * time.Second
	checkTime  = 15 * time.Second
	// busyTime limits the repetition, busyPause apart, of a request that exceeds the rate of the service.
	busyTime  = 30 * time.Second
	busyPause = 100 * time.Millisecond
)

// Client is a program's connection to the service.
type Client struct {
	address string
	http    *http.Client
	lost    atomic.Bool
}

// NewClient returns a client for the service at address. It connects with the first
// request.
func NewClient(address string) *Client {
	return &Client{address: address, http: &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, connectTime)
				defer cancel()
				return dial(ctx, address)
			},
			MaxIdleConns: 4, MaxIdleConnsPerHost: 4, IdleConnTimeout: idleTime / 2, MaxResponseHeaderBytes: maxHeaderBytes,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Lost reports whether a request has failed to reach the service.
func (c *Client) Lost() bool { return c.lost.Load() }

// host represents the service in URLs.
const host = "tonprobe.local"

// do sends one request and parses the response. An error that is not ErrNoService comes
// from the service, or means that another process listens at its address.
func (c *Client) do(ctx context.Context, limit time.Duration, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	b, err := c.bytes(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	return nil
}

func (c *Client) bytes(ctx context.Context, method, path string, body any) ([]byte, error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if body == nil {
		sent = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.noService(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, c.noService(err)
	}
	if resp.StatusCode != http.StatusOK {
		var f fault
		if json.Unmarshal(b, &f) != nil || f.Code == "" {
			return nil, fmt.Errorf("the service answered with status %d", resp.StatusCode)
		}
		return nil, f.error()
	}
	return b, nil
}

func (c *Client) noService(err error) error {
	c.lost.Store(true)
	if errors.Is(err, ErrForeignSocket) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoService, err)
}

// Status returns the status of the service.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.do(ctx, askTime, http.MethodGet, pathStatus, nil, &s)
	return s, err
}

// SelfCheck asks the service to check itself.
func (c *Client) SelfCheck(ctx context.Context) ([]Finding, error) {
	var f []Finding
	err := c.do(ctx, checkTime, http.MethodGet, pathSelfCheck, nil, &f)
	return f, err
}

// Enroll enrols the service and returns its new status. The errors are those of package
// enroll, and ErrOtherCollector.
func (c *Client) Enroll(ctx context.Context, asked Invitation) (Status, error) {
	var s Status
	err := c.do(ctx, enrollTime, http.MethodPost, pathEnroll, asked, &s)
	return s, err
}

// Adopt hands the identity of a program to a service that has none.
func (c *Client) Adopt(ctx context.Context, id identity.Identity) (Status, error) {
	var s Status
	err := c.do(ctx, askTime, http.MethodPost, pathAdopt, id, &s)
	return s, err
}

// Take hands a report to the service, which stores it and attempts to send it. It returns
// the name of the outcome.
func (c *Client) Take(ctx context.Context, r *report.Report, declined bool) (outcome string, err error) {
	doc, err := r.Encode()
	if err != nil {
		return "", err
	}
	var a struct {
		Outcome string `json:"outcome"`
	}
	err = c.do(ctx, answerTime, http.MethodPost, pathReports, handedOver{Report: doc, Declined: declined}, &a)
	return a.Outcome, err
}

// Reports lists the reports of the service.
func (c *Client) Reports(ctx context.Context) (Reports, error) {
	var r Reports
	err := c.do(ctx, askTime, http.MethodGet, pathReports, nil, &r)
	return r, err
}

// Report returns a report exactly as it is sent. A program that reads all of them may exceed the rate of the
// service. It waits then: a report that is left out would appear damaged.
func (c *Client) Report(ctx context.Context, id string) ([]byte, error) {
	until := time.Now().Add(busyTime)
	for {
		doc, err := c.report(ctx, id)
		if !errors.Is(err, ErrBusy) || time.Now().After(until) {
			return doc, err
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (c *Client) report(ctx context.Context, id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return c.bytes(ctx, http.MethodGet, pathReports+"/"+url.PathEscape(id), nil)
}

// Events returns the events that the service has recorded since a time. Those that this
// version does not know, because the service is newer, are left out.
func (c *Client) Events(ctx context.Context, since time.Time) (Recorded, error) {
	var r Recorded
	err := c.do(ctx, askTime, http.MethodGet, pathEvents+"?"+timeQuery(querySince, since), nil, &r)
	r.Events = slices.DeleteFunc(r.Events, func(e report.HostEvent) bool { return !e.Valid() })
	return r, err
}

// History returns the last minutes before at, as the service has recorded them.
func (c *Client) History(ctx context.Context, at time.Time) (*report.HostHistory, error) {
	var h report.HostHistory
	if err := c.do(ctx, askTime, http.MethodGet, pathHistory+"?"+timeQuery(queryAt, at), nil, &h); err != nil {
		return nil, err
	}
	if !h.Valid() {
		return nil, errors.New("the service responded with a history of an unknown version")
	}
	return &h, nil
}

// Log returns the last lines of the service's log, oldest first.
func (c *Client) Log(ctx context.Context) ([]string, error) {
	var lines []string
	err := c.do(ctx, askTime, http.MethodGet, pathLog, nil, &lines)
	return lines, err
}

func timeQuery(name string, t time.Time) string {
	return url.Values{name: {t.UTC().Format(time.RFC3339Nano)}}.Encode()
}

// Via returns a transport that sends requests to the collector at base through the
// service.
func (c *Client) Via(base *url.URL) http.RoundTripper { return via{c, base} }

type via struct {
	client *Client
	base   *url.URL
}

// RoundTrip implements http.RoundTripper.
func (v via) RoundTrip(r *http.Request) (*http.Response, error) {
	path, below := strings.CutPrefix(r.URL.Path, strings.TrimRight(v.base.Path, "/")+"/")
	if r.URL.Host != v.base.Host || r.URL.Scheme != v.base.Scheme || !below {
		return nil, fmt.Errorf("query the collector: %s is another server", r.URL.Redacted())
	}
	passed := r.Clone(r.Context())
	passed.URL = &url.URL{Scheme: "http", Host: host, Path: pathCollector + "/" + path, RawQuery: r.URL.RawQuery}
	passed.Host = host
	passed.Header.Del("Authorization")
	resp, err := v.client.http.Transport.RoundTrip(passed)
	if err != nil {
		if r.Context().Err() != nil {
			return nil, err
		}
		// A service that does not respond must not be mistaken for a collector that does
		// not respond.
		return nil, fmt.Errorf("%w: %w", media.ErrInterrupted, v.client.noService(err))
	}
	if resp.Header.Get(headerFault) == "" {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	var f fault
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxRequestBytes))
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("read the service's answer: %w", err)
	}
	return nil, f.error()
}
