package fleet

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Faults is a set of kinds of faults.
type Faults uint8

// The kinds of faults.
const (
	// Conference is a fault of the conference system: it is down, refuses participants,
	// or transmits no sound.
	Conference Faults = 1 << iota
	// OwnServer is a fault of the collector or its reflector.
	OwnServer
	// Line is loss, delay, jitter or no connection at all, beyond the local network.
	Line
	// Local is a fault of the local network: Wi-Fi, cables, router, firewall.
	Local
	// Sound is a fault of the microphone or the loudspeaker.
	Sound
	// Program is a fault of the computer or a program on it.
	Program
)

// Observation contains the facts of one check by which participants are grouped and
// compared.
type Observation struct {
	Participant string
	At          time.Time // of the check, on the server's clock
	// Server is the host of the conference server; "" if none was checked.
	Server string
	// Provider and Site are derived from the public address; "" if it is unknown.
	Provider, Site string
	// Version is the program's version and the operating system.
	Version string
	// Found contains the faults, Measured the kinds of faults that the check could have
	// found. A fault that was not measured is unknown, not absent.
	Found, Measured Faults
	// Explained contains the faults that a common cause explained. They do not count
	// towards the usual rate of this participant.
	Explained Faults
}

// document is the part of a report that is required here. Decoding complete reports would
// take ten times as long.
type document struct {
	Agent  struct{ Version, OS string }
	Target string
	Probes []struct {
		Name   string
		Status report.Status
		Data   json.RawMessage
	}
	Causes []struct {
		Code     string
		Severity report.Severity
		Endpoint report.Endpoint
		Area     report.Area
	}
}

// FromDocument returns the observation of a stored report. checkedAt is the time of the
// check on the server's clock; providers may be nil.
func FromDocument(participant string, checkedAt time.Time, doc []byte, providers *Providers) (Observation, error) {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return Observation{}, fmt.Errorf("read the report for common causes: %w", err)
	}
	o := Observation{Participant: participant, At: checkedAt, Version: strings.TrimSpace(d.Agent.Version + " " + d.Agent.OS)}
	_, host, _ := strings.Cut(d.Target, "://")
	o.Server, _, _ = strings.Cut(host, "/")
	for _, p := range d.Probes {
		if p.Status != report.StatusUnknown && p.Status != report.StatusSkipped {
			o.Measured |= measuredBy(p.Name, o.Server != "")
		}
		if p.Name == report.ProbeNAT && len(p.Data) > 0 {
			var nat report.NAT
			if err := json.Unmarshal(p.Data, &nat); err != nil {
				return Observation{}, fmt.Errorf("read the address for common causes: %w", err)
			}
			o.Provider, o.Site = providers.place(nat.PublicAddress)
		}
	}
	for _, c := range d.Causes {
		if c.Severity == report.SeverityInfo {
			continue
		}
		f := kindOf(c.Code, c.Endpoint, c.Area)
		o.Found |= f
		o.Measured |= f
	}
	return o, nil
}

func measuredBy(probe string, hasServer bool) Faults {
	switch first, _, _ := strings.Cut(probe, "."); first {
	case "audio":
		return Sound
	case "host":
		return Program
	case "conference":
		return Conference | Line
	case "media", "nat":
		return OwnServer | Line
	case "network":
		// A reachable server says nothing about loss, which only a stream measures.
		if hasServer {
			return Local
		}
		return Local | OwnServer
	}
	return 0
}

// kindOf classifies a cause by its group, by the responsible party and by the server
// against which it was measured, so that a new cause needs no entry here.
func kindOf(code string, endpoint report.Endpoint, area report.Area) Faults {
	group, name, _ := strings.Cut(code, ".")
	server := OwnServer
	if endpoint == report.EndpointConference {
		server = Conference
	}
	switch {
	case group == "audio":
		return Sound
	case group == "host":
		return Program
	case strings.HasPrefix(name, "dns_"):
		return Line // names are usually resolved by the provider
	case area == report.AreaParticipant:
		return Local
	case group == "conf" || area == report.AreaMunicipality:
		return server
	}
	return Line
}

// place returns the provider and the site of a public address in the form of a report: an
// address, or a network of /24 or /48.
func (p *Providers) place(public string) (provider, site string) {
	prefix, err := netip.ParsePrefix(public)
	if err != nil {
		addr, err := netip.ParseAddr(public)
		if err != nil {
			return "", ""
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	bits, near := 16, 24
	if prefix.Addr().Is6() {
		bits, near = 32, 48
	}
	at, err := prefix.Addr().Prefix(near)
	if err != nil {
		return "", ""
	}
	if name := p.Of(prefix.Addr()); name != "" {
		return name, at.String()
	}
	wide, err := prefix.Addr().Prefix(bits)
	if err != nil {
		return "", ""
	}
	return wide.String(), at.String()
}
