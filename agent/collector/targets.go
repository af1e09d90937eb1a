package collector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Targets requests the conference systems that the agent's participant uses, with
// credentials that are valid for a few minutes. The system named join gets a join link;
// "" requests no link. A response other than a success is an *APIError.
func (e *Endpoint) Targets(ctx context.Context, join string) (*wire.Targets, error) {
	base, err := e.Base()
	if err != nil {
		return nil, err
	}
	at := base.JoinPath(wire.PathTargets)
	if join != "" {
		at.RawQuery = url.Values{wire.ParamJoin: {join}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("request the conference systems: %w", err)
	}
	e.Authorise(req)
	resp, err := e.Client().Do(req)
	if err != nil {
		return nil, fmt.Errorf("request the conference systems: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, ReadError(resp, time.Now())
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxTargetsBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the conference systems: %w", err)
	}
	return wire.ParseTargets(b)
}
