package uplink

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// requestTimeout limits one request: a batch of 1 MB at 128 kbit/s takes 60 s
// uncompressed and about 8 s with gzip.
const requestTimeout = 30 * time.Second

// maxAnswer is far more than 50 results need.
const maxAnswer = 256 << 10

type result struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

// post sends the batch and returns the collector's results by report id.
func (u *Uplink) post(ctx context.Context, batch []parcel) (map[string]result, error) {
	base, err := u.Collector.Base()
	if err != nil {
		return nil, err
	}
	body, err := encode(batch)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("api/v1/reports").String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+u.Collector.Token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := u.client().Do(req)
	if collector.Untrusted(err) {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, u.Collector.Explain(ctx, err, u.Clock.Now))
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return nil, refusal(collector.ReadError(resp, u.Clock.Now()))
	}
	return decode(resp.Body)
}

func (u *Uplink) client() *http.Client {
	if u.Client == nil {
		u.Client = u.Collector.Client()
	}
	return u.Client
}

func encode(batch []parcel) ([]byte, error) {
	var docs struct {
		Reports []json.RawMessage `json:"reports"`
	}
	for _, p := range batch {
		docs.Reports = append(docs.Reports, p.doc)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(z).Encode(docs), z.Close()); err != nil {
		return nil, fmt.Errorf("encode reports: %w", err)
	}
	return b.Bytes(), nil
}

func decode(body io.Reader) (map[string]result, error) {
	var a struct {
		Results []result `json:"results"`
	}
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(&a); err != nil {
		return nil, fmt.Errorf("read the collector's answer: %w", err)
	}
	results := make(map[string]result, len(a.Results))
	for _, r := range a.Results {
		results[r.ID] = r
	}
	return results, nil
}

// refusal makes 401 and 403 final, but only if the collector itself sent them:
// captive portals and proxies use them too.
func refusal(e *collector.APIError) error {
	switch {
	case e.Code == "":
		return e
	case e.Code == "participant_blocked":
		return fmt.Errorf("%w: %w", ErrBlocked, e)
	case e.Code == wire.CodeErased:
		return fmt.Errorf("%w: %w", ErrErased, e)
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrEnrolAgain, e)
	}
	return e
}

func refusalText(e *collector.APIError) string {
	return fmt.Sprintf("refused (%d %s): %s", e.Status, report.CleanText(e.Code), report.CleanText(e.Message))
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*collector.APIError](err); ok {
		return e.RetryAfter
	}
	return 0
}
