package network

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
)

// pins are the collector's, on the way to the collector.
func (j *journey) pins() *trust.Pins {
	if j.Pins == nil || !j.towardOwn() {
		return nil
	}
	return j.Pins
}

// towardOwn says whether the journey leads to the collector itself.
func (j *journey) towardOwn() bool {
	c, ok := parseTarget(j.CollectorURL)
	return ok && strings.EqualFold(c.Hostname(), j.target.Hostname()) && portOf(c) == portOf(j.target)
}

// askKeys puts the question for the collector's keys into a request to it.
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

// readKeys takes the collector's answer to that question.
func (j *journey) readKeys(h http.Header) {
	if keys, ok := wire.ParseKeys(h.Get(wire.HeaderKeys), j.nonce); ok {
		j.shown.Keys = &keys
	}
}

// judgeCertificate says whose the certificate was. At the collector its keys tell.
// Another server's certificate that is not trusted is held against the
// collector's: who opens TLS toward the collector opens it toward others as well.
func (j *journey) judgeCertificate(ctx context.Context) {
	j.noteVerdict(j.pins().Judge(j.shown), j)
	if j.pins() != nil || j.data.TLSError != "untrusted" {
		return
	}
	k, ok := j.meetCollector(ctx)
	if !ok {
		return
	}
	defer k.close()
	verdict := k.pins().Judge(k.shown)
	if k.data.TLSError == "untrusted" && bytes.Equal(k.shown.Chain[0].RawIssuer, j.shown.Chain[0].RawIssuer) {
		verdict = trust.Foreign // one unknown issuer for both
	}
	j.noteVerdict(verdict, k)
}

// noteVerdict takes down what a connection to the collector says of the network:
// j's own, or that of k.
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
			// The issuer's name deceives: a town may have its certificates from a
			// firewall's own authority.
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

// meetCollector goes to the collector, to see its certificate and to hear its keys.
func (j *journey) meetCollector(ctx context.Context) (*journey, bool) {
	target, ok := parseTarget(j.CollectorURL)
	if !ok || target.Scheme != "https" || ctx.Err() != nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	k := &journey{WebConfig: j.WebConfig, env: j.env, data: &report.NetworkWeb{}, target: &url.URL{Scheme: target.Scheme, Host: target.Host, Path: "/healthz"}, began: j.env.Clock.Now()}
	_ = k.take(ctx, k.chooseProxy) && k.reach(ctx) && k.take(ctx, k.throughProxy, k.encrypt, k.request)
	if len(k.shown.Chain) == 0 {
		k.close()
		return nil, false
	}
	return k, true
}
