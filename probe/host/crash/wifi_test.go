package crash

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// timedTexts formats the events of a kind with their durations.
func timedTexts(events []report.HostEvent, kind report.HostEventKind) []string {
	all := []string{}
	for _, e := range events {
		if e.Kind != kind {
			continue
		}
		said := eventText(e)
		if e.DurationS != nil {
			said += fmt.Sprintf(" %gs", *e.DurationS)
		}
		all = append(all, said)
	}
	return all
}

// journalLines returns entries of the journal: the seconds after noon, the sender, and the message.
func journalLines(lines ...string) string {
	var all strings.Builder
	for _, line := range lines {
		at, rest, _ := strings.Cut(line, " ")
		from, message, _ := strings.Cut(rest, " ")
		sender := `"_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"kernel"`
		if from != "kernel" {
			sender = fmt.Sprintf(`"_TRANSPORT":"syslog","_COMM":%q,"SYSLOG_IDENTIFIER":%q`, from, from)
		}
		s, err := time.ParseDuration(at + "s")
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&all, `{"__REALTIME_TIMESTAMP":"%d","__MONOTONIC_TIMESTAMP":"%d",%s,"MESSAGE":%q}`+"\n", noon.Add(s).UnixMicro(), (time.Hour + s).Microseconds(), sender, message)
	}
	return all.String()
}

// TestOutagesOfTheWiFi: the sentence for support names how long the Wi-Fi was away, also without the service.
func TestOutagesOfTheWiFi(t *testing.T) {
	for name, c := range map[string]struct{ lines, want []string }{
		"access point lost": {[]string{
			"0 kernel wlp2s0: Connection to AP 02:00:00:00:00:00 lost",
			"0.1 wpa_supplicant wlp2s0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=4 locally_generated=1",
			"39.5 kernel wlp2s0: associated",
			"40 wpa_supplicant wlp2s0: CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:00:00 completed [id=0 id_str=]",
			"300 kernel wlp2s0: Limiting TX power to 20 (20 - 0) dBm as advertised by 02:00:00:00:00:00",
		}, []string{"wifi_dropped  access_point_lost 39.5s"}},
		"without mac80211": {[]string{
			"0 wpa_supplicant wlan0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=7",
			"25 wpa_supplicant wlan0: CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:00:00 completed [id=0 id_str=]",
		}, []string{"wifi_dropped  reason_7 25s"}},
		"without a reason": {[]string{"0 wpa_supplicant wlan0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=0"}, []string{"wifi_dropped"}},
		"the first attempts fail": {[]string{
			"0 kernel wlan0: deauthenticated from 02:00:00:00:00:00 (Reason: 6=CLASS2_FRAME_FROM_NONAUTH_STA)",
			"10 kernel wlan0: associated",
			"15 kernel wlan0: deauthenticated from 02:00:00:00:00:00 (Reason: 15=4WAY_HANDSHAKE_TIMEOUT)",
			"30 kernel wlan0: associated",
		}, []string{"wifi_dropped  reason_6 30s"}},
		"it does not come back":   {[]string{"0 kernel wlan0: disassociated from 02:00:00:00:00:00 (Reason: 8=DISASSOC_STA_HAS_LEFT)"}, []string{"wifi_dropped  reason_8"}},
		"much later, another day": {[]string{"0 kernel wlan0: Connection to AP 02:00:00:00:00:00 lost", "7200 kernel wlan0: associated"}, []string{"wifi_dropped  access_point_lost"}},
		"two outages": {[]string{
			"0 kernel wlan0: Connection to AP 02:00:00:00:00:00 lost", "5 kernel wlan0: associated",
			"60 kernel wlan0: Connection to AP 02:00:00:00:00:00 lost", "68 kernel wlan0: associated",
		}, []string{"wifi_dropped  access_point_lost 5s", "wifi_dropped  access_point_lost 8s"}},
		"firmware, then an outage": {[]string{
			"0 kernel iwlwifi 0000:00:14.3: Microcode SW error detected. Restarting 0x0.",
			"120 kernel wlan0: Connection to AP 02:00:00:00:00:00 lost", "125 kernel wlan0: associated",
		}, []string{"wifi_dropped  firmware", "wifi_dropped  access_point_lost 5s"}},
		"no answer, by wpa_supplicant": {[]string{
			"0 kernel wlan0: deauthenticating from 02:00:00:00:00:00 by local choice (Reason: 2=PREV_AUTH_NOT_VALID)",
			"20 kernel wlan0: associated",
		}, []string{"wifi_dropped  reason_2 20s"}},
		"asked for by the driver": {[]string{"0 kernel wlp1s0: Driver requested disconnection from AP 02:00:00:00:00:00"}, []string{"wifi_dropped  driver"}},
		"a new network with a wrong key": {[]string{
			"0 kernel wlan0: associated",
			"4 kernel wlan0: deauthenticated from 02:00:00:00:00:00 (Reason: 15=4WAY_HANDSHAKE_TIMEOUT)",
			"4.1 wpa_supplicant wlan0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=15",
		}, []string{}},
		"another access point": {[]string{
			"0 kernel wlan0: associated", "900 kernel wlan0: disconnect from AP 02:00:00:00:00:00 for new auth to 02:00:00:00:00:01", "900.2 kernel wlan0: associated",
		}, []string{}},
		"switched off": {[]string{
			"0 kernel wlan0: deauthenticating from 02:00:00:00:00:00 by local choice (Reason: 3=DEAUTH_LEAVING)",
			"0.1 wpa_supplicant wlan0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=3 locally_generated=1",
			"60 kernel wlan0: associated",
		}, []string{}},
		"old kernel, switched off": {[]string{"0 kernel wlan0: deauthenticating from 02:00:00:00:00:00 by local choice (reason=3)"}, []string{}},
		"no access point":          {[]string{"0 wpa_supplicant wlan0: CTRL-EVENT-DISCONNECTED bssid=00:00:00:00:00:00 reason=1 locally_generated=1"}, []string{}},
		"said by another program":  {[]string{"0 notes wlan0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=4"}, []string{}},
	} {
		events, err := parseJournal(strings.NewReader(journalLines(c.lines...)), nil)
		if got := timedTexts(events, report.EventWiFiDropped); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
		for _, e := range events {
			if !e.Valid() {
				t.Errorf("%s: a report cannot hold %+v", name, e)
			}
		}
	}
	if args := strings.Join(journalArgs(noon), " "); !strings.Contains(args, "+ _COMM=wpa_supplicant") {
		t.Errorf("got arguments %q, want the messages of wpa_supplicant", args)
	}
}
