package uplink

import (
	"errors"
	"net"
	"net/http"

	"github.com/tonprobe/tonprobe/agent/collector"
)

// blame is what a failed request implies for its reports.
type blame int

const (
	// everything: the collector, or the path to it, is faulty or busy.
	everything blame = iota
	// someReport: the cause may be a report or the path. Requests that time out,
	// break off or fail in a proxy look the same in both cases.
	someReport
	// faultyReport: the collector fails on a report, or on all of them.
	faultyReport
	// oneReport: the collector refuses a report because of its content.
	oneReport
)

// errIncomplete means that a response does not list all reports.
var errIncomplete = errors.New("the collector's response omits reports")

func blames(err error) blame {
	api, ok := errors.AsType[*collector.APIError](err)
	if !ok {
		return blamesTransport(err)
	}
	own := api.Code != "" // otherwise a proxy or a login page answered
	switch api.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		if own {
			return oneReport
		}
		return someReport
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return everything // RFC 9110 §15.6.4, RFC 6585 §4: the collector as a whole is busy
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return someReport // also the response of a proxy whose collector crashed on the report
	}
	switch {
	case api.Status >= 500 && own:
		return faultyReport
	case api.Status >= 500:
		return someReport
	}
	return everything
}

// blamesTransport classifies transport errors. Without a connection no report was sent.
func blamesTransport(err error) blame {
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "dial" || e.Op == "proxyconnect") {
		return everything
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok || final(err) {
		return everything
	}
	return someReport
}
