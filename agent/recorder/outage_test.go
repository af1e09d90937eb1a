package recorder

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var begin = time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)

// course runs samples, one letter each, through a new detector:
//
//	. no fault          w no Wi-Fi     l no cable      o Wi-Fi switched off
//	g router silent     s collector silent             b router silent, collector answers
//	- no sample for a minute           ? no machine ever responded
func course(letters string) (said []string) {
	var o outages
	at := begin
	for _, letter := range letters {
		at = at.Add(Every)
		ok, lost := Echo{Asked: true, Answered: true}, Echo{Asked: true}
		s := Sample{At: at, Link: "wifi", Gateway: ok, Server: ok, Programs: []string{"Zoom"}}
		switch letter {
		case 'w', 'l', 'o':
			s.Link, s.Gateway, s.Server, s.WiFiOff = "none", Echo{}, Echo{}, letter == 'o'
		case 'e':
			s.Link = "ethernet"
		case 'g':
			s.Gateway, s.Server = lost, lost
		case 's':
			s.Server = lost
		case 'b':
			s.Gateway = lost
		case 'z': // Zoom and Chrome run
			s.Gateway, s.Server, s.Programs = lost, lost, []string{"Zoom", "Chrome"}
		case 'd': // Zoom is closed, Chrome is not
			s.Gateway, s.Server, s.Programs = lost, lost, []string{"Chrome"}
		case 'c': // Zoom is closed
			s.Gateway, s.Server, s.Programs = lost, lost, nil
		case '?':
			s.Gateway, s.Server = Echo{}, Echo{}
		case '-':
			at = at.Add(time.Minute)
			continue
		}
		if e, ok := o.observe(s); ok {
			said = append(said, strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Detail, " ", e.Program, " ", *e.DurationS)), " "))
		}
	}
	return said
}

func TestOutages(t *testing.T) {
	r := strings.Repeat
	for letters, want := range map[string]string{
		r(".", 300):                                        "",
		"..." + r("w", 20) + "...":                         "wifi_dropped Zoom 40",
		"...w...":                                          "",
		"..." + r("o", 20) + "...":                         "", // a person switched it off
		"eee" + r("l", 5) + "ee":                           "connection_lost link Zoom 10",
		"..." + r("g", 6) + "..":                           "connection_lost router Zoom 12",
		".g.g.gg.g.gg..":                                   "", // single packets
		"..." + r("s", 6) + "..":                           "connection_lost beyond_router Zoom 12",
		"..." + r("b", 60) + "..":                          "", // the router no longer answers, but the collector does
		"..." + r("w", 5) + r("g", 5) + ".":                "wifi_dropped Zoom 20",
		"..." + r("g", 3) + r("c", 3) + "..":               "connection_lost router 12",
		"..." + r("w", 70) + "..":                          "wifi_dropped Zoom 120|wifi_dropped Zoom 140",
		"..." + r("g", 75) + r("w", 5) + "..":              "connection_lost router Zoom 120|connection_lost router Zoom 160", // one outage keeps its name
		"..." + r("g", 75) + r("?", 20) + "..":             "connection_lost router Zoom 120|connection_lost router Zoom 190", // unknown in between
		"..." + r("g", 75) + r("?", 20) + r("w", 9) + "..": "connection_lost router Zoom 120|connection_lost router Zoom 148|wifi_dropped Zoom 18",
		"..." + r("z", 75) + r("d", 5) + "..":              "connection_lost router Zoom 120|connection_lost router Zoom 160",
		r("?", 100):                                        "",
		"..." + r("w", 5) + "-" + r("w", 5) + "..":         "wifi_dropped Zoom 8", // asleep in between
		"...-" + r("w", 10) + "...":                        "",                    // the connection returns some time after a sleep
		"...-" + r(".", 40) + r("w", 10) + "...":           "wifi_dropped Zoom 20",
	} {
		if got := strings.Join(course(letters), "|"); got != want {
			t.Errorf("%s: got %q, want %q", letters, got, want)
		}
	}
}

// TestOutagesAfterTheClockWasSet: the time between two samples is meaningless then.
func TestOutagesAfterTheClockWasSet(t *testing.T) {
	for _, step := range []time.Duration{-24 * time.Hour, 10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		var o outages
		for i := range 100 {
			at := begin.Add(time.Duration(i) * Every)
			if i >= 50 {
				at = at.Add(step)
			}
			s := Sample{At: at, Link: "wifi"}
			if i >= 45 && i < 55 {
				s.Link = "none"
			}
			if e, ok := o.observe(s); ok && *e.DurationS > 20 {
				t.Errorf("step %v: got %+v with a duration of %v s, want at most 20", step, e, *e.DurationS)
			}
		}
	}
}
