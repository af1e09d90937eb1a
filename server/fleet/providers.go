package fleet

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// maxProviderRanges limits the table, so that a wrong file cannot exhaust the memory. The
// entire Internet has about 700,000 ranges.
const maxProviderRanges = 2_000_000

// ErrProviderTable means that a file is not a table of providers.
var ErrProviderTable = errors.New("not a table of providers: each line needs first address, last address, number, country and name, separated by tabs")

// Providers maps addresses to providers. A nil *Providers is empty.
type Providers struct {
	ranges []providerRange // by first address, not overlapping
}

type providerRange struct {
	first, last netip.Addr
	name        string
}

// ReadProviders reads a table in the format of the public lists of autonomous systems.
// Each line contains the first and the last address of a range, the number of the system,
// its country and its name, separated by tabs. Ranges with the number 0 are unassigned.
func ReadProviders(r io.Reader) (*Providers, error) {
	p := &Providers{}
	names := map[string]string{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimRight(lines.Text(), "\r")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		fields := strings.SplitN(text, "\t", 5)
		if len(fields) < 5 {
			return nil, fmt.Errorf("line %d: %w", n, ErrProviderTable)
		}
		first, err1 := netip.ParseAddr(fields[0])
		last, err2 := netip.ParseAddr(fields[1])
		if err1 != nil || err2 != nil || first.BitLen() != last.BitLen() || last.Less(first) {
			return nil, fmt.Errorf("line %d: %w", n, ErrProviderTable)
		}
		if fields[2] == "0" {
			continue
		}
		if len(p.ranges) == maxProviderRanges {
			return nil, fmt.Errorf("line %d: more than %d ranges", n, maxProviderRanges)
		}
		name := "AS" + fields[2] + " " + strings.ToValidUTF8(fields[4], "")
		if names[name] == "" {
			names[name] = name
		}
		p.ranges = append(p.ranges, providerRange{first, last, names[name]})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the table of providers: %w", err)
	}
	slices.SortFunc(p.ranges, func(a, b providerRange) int { return a.first.Compare(b.first) })
	for i := 1; i < len(p.ranges); i++ {
		if before := p.ranges[i-1]; before.last.BitLen() == p.ranges[i].first.BitLen() && !before.last.Less(p.ranges[i].first) {
			return nil, fmt.Errorf("ranges that begin with %s and %s overlap: %w", before.first, p.ranges[i].first, ErrProviderTable)
		}
	}
	return p, nil
}

// Of returns the name of the provider, or "" if it is unknown.
func (p *Providers) Of(addr netip.Addr) string {
	if p == nil {
		return ""
	}
	addr = addr.Unmap()
	i, exact := slices.BinarySearchFunc(p.ranges, addr, func(r providerRange, a netip.Addr) int { return cmp.Compare(r.first.Compare(a), 0) })
	if !exact {
		i--
	}
	if i < 0 || p.ranges[i].last.Less(addr) || p.ranges[i].first.BitLen() != addr.BitLen() {
		return ""
	}
	return p.ranges[i].name
}
