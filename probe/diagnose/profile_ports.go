package diagnose

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// maxPortEntries is the maximum number of ports and ranges of one transport. A check tries two
// ports of each range.
const maxPortEntries = 8

// Ports are the ports that a conference system publishes for its clients, for a check that
// cannot see the media path itself. Each entry is a port or an ascending range, such as
// "8801-8810".
type Ports struct {
	TCP    []string `toml:"tcp"`
	UDP    []string `toml:"udp"`
	Source string   `toml:"source"`
}

// PortsOf returns the ports to try for a conference system, such as [report.ProbeZoom]: those
// of the profile, otherwise those that Tonprobe ships for the system.
func (p Profile) PortsOf(system string) Ports {
	if p.Ports.Source != "" || system != report.ProbeZoom {
		return p.Ports
	}
	shipped, err := LoadProfile("zoom")
	if err != nil {
		panic(err) // it is embedded
	}
	return shipped.Ports
}

// Tried returns the ports that a check tries: each port, and the first and the last one of each
// range.
func (p Ports) Tried() (tcp, udp []uint16) { return triedOf(p.TCP), triedOf(p.UDP) }

func triedOf(entries []string) (all []uint16) {
	for _, entry := range entries {
		first, last, err := portRange(entry)
		if err != nil {
			continue // problem has refused it
		}
		if all = append(all, first); last != first {
			all = append(all, last)
		}
	}
	return all
}

// problem describes what is wrong with the ports of a profile; "" if nothing is. A profile
// without them is correct.
func (p Ports) problem() string {
	if p.Source == "" && len(p.TCP) == 0 && len(p.UDP) == 0 {
		return ""
	}
	if strings.TrimSpace(p.Source) == "" {
		return "source is missing: write where the ports come from"
	}
	for _, list := range []struct {
		name    string
		entries []string
	}{{"tcp", p.TCP}, {"udp", p.UDP}} {
		if n := len(list.entries); n > maxPortEntries {
			return fmt.Sprintf("%s has %d entries, at most %d are possible: use ranges", list.name, n, maxPortEntries)
		}
		for _, entry := range list.entries {
			if _, _, err := portRange(entry); err != nil {
				return fmt.Sprintf("%s: %v", list.name, err)
			}
		}
	}
	return ""
}

func portRange(entry string) (first, last uint16, err error) {
	from, to, isRange := strings.Cut(entry, "-")
	if !isRange {
		to = from
	}
	low, errLow := strconv.ParseUint(from, 10, 16)
	high, errHigh := strconv.ParseUint(to, 10, 16)
	if errLow != nil || errHigh != nil || low == 0 || isRange && high <= low {
		return 0, 0, fmt.Errorf("%q is neither a port nor an ascending range, such as 8801-8810", entry)
	}
	return uint16(low), uint16(high), nil
}
