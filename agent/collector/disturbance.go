package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// ReportDisturbance reports that the participant has a disturbance in the session in progress. The
// same id again has no effect. A response other than a success is an *APIError.
func (e *Endpoint) ReportDisturbance(ctx context.Context, id string) (*wire.DisturbanceResponse, error) {
	base, err := e.Base()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(wire.DisturbanceRequest{ID: id})
	if err != nil {
		return nil, fmt.Errorf("report a disturbance: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath(wire.PathDisturbances).String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("report a disturbance: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	e.Authorise(req)
	resp, err := e.Client().Do(req)
	if err != nil {
		return nil, fmt.Errorf("report a disturbance: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, ReadError(resp, time.Now())
	}
	var answer wire.DisturbanceResponse
	if err := json.NewDecoder(io.LimitReader(resp.Body, wire.MaxDisturbanceResponseBytes)).Decode(&answer); err != nil || answer.Number < 1 || answer.At.IsZero() {
		return nil, errors.New("report a disturbance: the answer is not that of a collector")
	}
	return &answer, nil
}
