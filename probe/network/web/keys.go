package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// pins returns the collector's pins if the journey leads to the collector.
func (j *journey) pins() *trust.Pins {
	if j.Pins == nil || !j.leadsToCollector() {
		return nil
	}
	return j.Pins
}

// leadsToCollector reports whether the journey leads to the collector.
func (j *journey) leadsToCollector() bool {
	c, ok := origin.Page(j.CollectorURL)
	return ok && strings.EqualFold(c.Hostname(), j.target.Hostname()) && origin.Port(c) == origin.Port(j.target)
}

// askKeys adds the request for the collector's keys to a request.
func (j *journey) askKeys(h http.Header) {
	if j.pins() == nil {
		return
	}
	var b [16]byte
	if _, err := io.ReadFull(j.env.Rand, b[:]); err != nil {
		return
	}
	j.nonce = base64.RawURLEncoding.EncodeToString(b[:])
	h.Set(wire.HeaderKeys, j.nonce)
}

// readKeys evaluates the collector's response to askKeys.
func (j *journey) readKeys(h http.Header) {
	if keys, ok := wire.ParseKeys(h.Get(wire.HeaderKeys), j.nonce); ok {
		j.shown.Keys = &keys
	}
}

// judgeCertificate determines whose certificate was presented. For the collector its keys decide. The
// untrusted certificate of another server is compared with the collector's: a middlebox that intercepts
// TLS to the collector intercepts other connections as well.
func (j *journey) judgeCertificate(ctx context.Context) {
	j.noteVerdict(j.pins().Judge(j.shown), j)
	if j.pins() != nil || j.data.TLSError != "untrusted" {
		return
	}
	k, ok := j.connectCollector(ctx)
	if !ok {
		return
	}
	defer k.close()
	verdict := k.pins().Judge(k.shown)
	if k.data.TLSError == "untrusted" && bytes.Equal(k.shown.Chain[0].RawIssuer, j.shown.Chain[0].RawIssuer) {
		verdict = trust.Foreign // the same unknown issuer for both
	}
	j.noteVerdict(verdict, k)
}

// noteVerdict records the result of a connection to the collector: j's own, or that of k.
func (j *journey) noteVerdict(verdict trust.Verdict, k *journey) {
	kind := trust.KnownInspector(j.shown.Chain)
	if kind == trust.NoInspector {
		kind = trust.KnownInspector(k.shown.Chain)
	}
	sure := k.pins() != nil && k.pins().Confirmed
	switch {
	case verdict == trust.Own && (sure || kind == trust.NoInspector):
		j.data.TLSKey = "own"
		if j == k {
			// The issuer's name is misleading: a municipality may use the authority of a firewall for its
			// certificates.
			j.data.TLSIntercepted = new(false)
		}
		return
	case verdict == trust.Foreign:
		j.data.TLSKey, j.data.TLSIntercepted = "foreign", new(true)
	case kind != trust.NoInspector:
		j.data.TLSIntercepted = new(true)
	}
	if j.data.TLSIntercepted != nil && *j.data.TLSIntercepted {
		j.data.TLSInspector = string(kind)
	}
}

// connectCollector connects to the collector to obtain its certificate and keys.
func (j *journey) connectCollector(ctx context.Context) (*journey, bool) {
	target, ok := origin.Page(j.CollectorURL)
	if !ok || target.Scheme != "https" || ctx.Err() != nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	k := &journey{Config: j.Config, env: j.env, data: &report.NetworkWeb{}, target: &url.URL{Scheme: target.Scheme, Host: target.Host, Path: "/healthz"}, began: j.env.Clock.Now()}
	_ = k.take(ctx, k.chooseProxy) && k.reach(ctx) && k.take(ctx, k.throughProxy, k.encrypt, k.request)
	k.leave()
	if len(k.shown.Chain) == 0 {
		k.close()
		return nil, false
	}
	return k, true
}
