package conference

import (
	"net/url"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// shortcuts contains the systems with one public address, by the name that people enter.
var shortcuts = map[string]string{
	"zoom":    "https://zoom.us",
	"youtube": "rtmps://a.rtmps.youtube.com",
}

// Parse parses an address as people paste it: a system's name ("zoom", "youtube"), a bare
// host, a join link, or the address of an ingest (rtmp, rtmps). The error is an
// [*origin.Error].
func Parse(raw string) (*url.URL, error) {
	text := strings.TrimSpace(raw)
	if known, ok := shortcuts[strings.ToLower(text)]; ok {
		text = known
	}
	scheme, rest, _ := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if scheme == "rtmp" || scheme == "rtmps" {
		text = "https://" + rest // hosts and ports follow the rules of https
	}
	u, err := origin.ParseSecure(text)
	if err != nil {
		return nil, err
	}
	switch scheme {
	case "rtmp", "rtmps", "ws", "wss": // the scheme identifies the API
		u.Scheme = scheme
	}
	return u, nil
}

// Reduce returns the part of an address that a check uses. The rest of a pasted link
// may be the secret of a meeting, and is neither stored nor sent. "" stays "". The
// error is an [*origin.Error].
func Reduce(raw string) (string, error) {
	if strings.TrimSpace(raw) == "" {
		return "", nil
	}
	u, err := Parse(raw)
	if err != nil {
		return "", err
	}
	for _, s := range Systems() {
		if s.Recognises(u) {
			return s.Base(u).String(), nil
		}
	}
	return origin.Of(visit.Web(u)), nil
}

// ReduceFor is Reduce for an address whose system is known, such as "bbb". If system is
// not the name of a known one, the address identifies it.
func ReduceFor(system, raw string) (string, error) {
	s, ok := systemOf(system)
	if !ok {
		return Reduce(raw)
	}
	u, err := Parse(raw)
	if err != nil {
		return "", err
	}
	return s.Base(u).String(), nil
}

// WebAddress returns the origin of the web server at an address, for network.web; ""
// for an ingest, which has none.
func WebAddress(address string) string {
	u, err := Parse(address)
	switch {
	case err != nil, u.Scheme == "rtmp", u.Scheme == "rtmps":
		return ""
	}
	return origin.Of(visit.Web(u))
}
