package uplink

import (
	"errors"
	"net"
	"net/http"

	"github.com/tonprobe/tonprobe/agent/collector"
)

// blame says what a failed request tells about its reports.
type blame int

const (
	// everything: the collector, or the way to it, is out of order or busy.
	everything blame = iota
	// someReport: a report may have caused it, and so may the way. Requests that
	// hang, break off or fail in a proxy look alike in both cases.
	someReport
	// faultyReport: the collector fails on a report, or on all of them.
	faultyReport
	// oneReport: the collector refuses a report for its content.
	oneReport
)

// errIncomplete says that an answer leaves reports out.
var errIncomplete = errors.New("the collector's answer leaves out reports")

func blames(err error) blame {
	api, ok := errors.AsType[*collector.APIError](err)
	if !ok {
		return blamesTransport(err)
	}
	own := api.Code != "" // else a proxy or a login page answered
	switch api.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		if own {
			return oneReport
		}
		return someReport
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return everything // RFC 9110 §15.6.4, RFC 6585 §4: busy as a whole
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return someReport // a proxy whose collector died of the report answers so too
	}
	switch {
	case api.Status >= 500 && own:
		return faultyReport
	case api.Status >= 500:
		return someReport
	}
	return everything
}

// blamesTransport: without a connection no report has been sent.
func blamesTransport(err error) blame {
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "dial" || e.Op == "proxyconnect") {
		return everything
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok || final(err) {
		return everything
	}
	return someReport
}
