// Package browserpolicy reads whether the administrator of a computer forbids browsers the use
// of microphones. A check, which is no browser, hears the voice nevertheless.
package browserpolicy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Browser is a browser and what its policies say about microphones.
type Browser struct {
	Name string // one of report.Programs
	// Forbidden is true if pages may not use a microphone unless they are in Allowed.
	Forbidden bool
	// Allowed and Blocked are the patterns of pages for which that is decided separately.
	Allowed, Blocked []string
}

// Blocks reports whether a page of a host may not use a microphone; with host "", whether no page
// may.
func (b Browser) Blocks(host string) bool {
	if host == "" {
		return b.Forbidden && len(b.Allowed) == 0
	}
	matches := func(pattern string) bool { return matchesHost(pattern, host) }
	if slices.ContainsFunc(b.Allowed, matches) {
		return false
	}
	return b.Forbidden || slices.ContainsFunc(b.Blocked, matches)
}

// Names returns the browsers in which a page of a host may not use a microphone.
func Names(all []Browser, host string) (names []string) {
	for _, b := range all {
		if b.Blocks(host) && !slices.Contains(names, b.Name) {
			names = append(names, b.Name)
		}
	}
	return names
}

// matchesHost reports whether a pattern of a policy, such as "https://[*.]example.org:443" or
// "https://bbb.example.org", names a host.
func matchesHost(pattern, host string) bool {
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	if _, rest, ok := strings.Cut(pattern, "://"); ok {
		pattern = rest
	}
	pattern, _, _ = strings.Cut(pattern, "/")
	if at := strings.LastIndexByte(pattern, ':'); at >= 0 && !strings.Contains(pattern[at:], "]") {
		pattern = pattern[:at]
	}
	host = strings.ToLower(host)
	domain, below := strings.CutPrefix(pattern, "[*.]")
	if !below {
		domain, below = strings.CutPrefix(pattern, "*.")
	}
	return pattern == "*" || domain == host || below && strings.HasSuffix(host, "."+domain)
}

// merge adds what one source of policies says. Later sources take precedence.
func (b *Browser) merge(forbidden *bool, allowed, blocked []string) {
	if forbidden != nil {
		b.Forbidden = *forbidden
	}
	b.Allowed, b.Blocked = append(b.Allowed, allowed...), append(b.Blocked, blocked...)
}

// parseChromium reads a file of Chrome, Chromium or Edge: AudioCaptureAllowed and
// AudioCaptureAllowedUrls (chromeenterprise.google/policies).
func (b *Browser) parseChromium(text []byte) error {
	var p struct {
		AudioCaptureAllowed     *bool
		AudioCaptureAllowedUrls []string
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("policies of %s: %w", b.Name, err)
	}
	var forbidden *bool
	if p.AudioCaptureAllowed != nil {
		forbidden = new(!*p.AudioCaptureAllowed)
	}
	b.merge(forbidden, p.AudioCaptureAllowedUrls, nil)
	return nil
}

// parseFirefox reads policies.json: Permissions.Microphone
// (mozilla.github.io/policy-templates).
func (b *Browser) parseFirefox(text []byte) error {
	var p struct {
		Policies struct {
			Permissions struct {
				Microphone struct {
					Allow, Block     []string
					BlockNewRequests *bool
				}
			}
		} `json:"policies"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("policies of %s: %w", b.Name, err)
	}
	m := p.Policies.Permissions.Microphone
	b.merge(m.BlockNewRequests, m.Allow, m.Block)
	return nil
}
