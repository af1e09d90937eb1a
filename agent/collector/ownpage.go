package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// OwnPage requests a code for the page about the participant, and returns it with the address of the
// page. A response other than a success is an *APIError.
func (e *Endpoint) OwnPage(ctx context.Context) (code *wire.OwnPageCode, address string, err error) {
	base, err := e.Base()
	if err != nil {
		return nil, "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath(wire.PathOwnPage).String(), http.NoBody)
	if err != nil {
		return nil, "", fmt.Errorf("request a code: %w", err)
	}
	e.Authorise(req)
	resp, err := e.Client().Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("request a code: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusCreated {
		return nil, "", ReadError(resp, time.Now())
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, wire.MaxOwnPageBytes)).Decode(&code); err != nil || code == nil || code.Code == "" {
		return nil, "", errors.New("request a code: the answer is not that of a collector")
	}
	return code, base.JoinPath(wire.OwnPagePath).String(), nil
}
