package crash

import (
	"regexp"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// wifiOutages turns the messages about one Wi-Fi adapter into outages with their durations. An outage has
// several messages: of the kernel and of wpa_supplicant, and of each attempt to connect that fails.
type wifiOutages struct {
	outages []report.HostEvent
	lost    bool // the latest outage is not over
	// upSince is the time of the latest connection, downSince that of the latest message that there is none.
	// At most one is not zero.
	upSince, downSince time.Time
}

// detailFirmware means that the firmware of the adapter crashed.
const detailFirmware = "firmware"

const (
	// stableAfter is the time after which a connection counts. Before that, the access point may still
	// refuse the key.
	stableAfter = 10 * time.Second
	// maxOutage is the longest outage whose end is attributed to it. A person who walks away with the computer
	// connects again much later.
	maxOutage = 10 * time.Minute
)

// add adds a message. Messages must be added in the order of their times.
func (w *wifiOutages) add(e report.HostEvent) {
	switch {
	case e.Kind == report.EventWiFiDropped:
		w.drop(e)
	case e.Kind == report.EventSleep, e.Kind == report.EventLinkChanged && e.Detail == detailSwitchedOff:
		w.settle(e.At)
		w.lost, w.upSince, w.downSince = false, time.Time{}, time.Time{}
	case e.Kind == report.EventLinkChanged && e.Detail == "up" && w.upSince.IsZero():
		w.upSince, w.downSince = e.At, time.Time{}
	}
}

func (w *wifiOutages) drop(e report.HostEvent) {
	attempt := !w.upSince.IsZero() && e.At.Sub(w.upSince) < stableAfter ||
		w.upSince.IsZero() && !w.downSince.IsZero() && e.At.Sub(w.downSince) <= maxOutage
	if !attempt {
		w.settle(e.At)
		w.outages, w.lost = append(w.outages, e), true
	} else if n := len(w.outages); w.lost {
		w.outages[n-1] = combined(w.outages[n-1], e)
	}
	w.upSince, w.downSince = time.Time{}, e.At
	if e.Detail == detailFirmware { // whose driver restores the connection without a message
		w.lost, w.downSince = false, time.Time{}
	}
}

// settle ends the outage if the connection after it was a lasting one.
func (w *wifiOutages) settle(at time.Time) {
	if !w.lost || w.upSince.IsZero() || at.Sub(w.upSince) < stableAfter {
		return
	}
	w.lost = false
	last := &w.outages[len(w.outages)-1]
	if away := w.upSince.Sub(last.At); away >= 0 && away <= maxOutage {
		last.DurationS = new(away.Seconds())
	}
}

// all returns the outages. The latest connection lasts at the end of the records.
func (w *wifiOutages) all() []report.HostEvent {
	w.settle(w.upSince.Add(stableAfter))
	return w.outages
}

// reSupplicant matches the messages of wpa_supplicant about the end and the start of a connection. Drivers
// that do the work of the kernel's mac80211 themselves leave no other record. The address is zero after an
// attempt that reached no access point.
var reSupplicant = regexp.MustCompile(`^wl[a-z0-9]+: CTRL-EVENT-(?:(CONNECTED) |DISCONNECTED bssid=(\S+) reason=(\d+)( locally_generated=1)?)`)

// addSupplicant adds a message of wpa_supplicant.
func (k *kernelReader) addSupplicant(at time.Time, message string) {
	m := reSupplicant.FindStringSubmatch(message)
	if m == nil || m[2] == "00:00:00:00:00:00" {
		return
	}
	reason, local := m[3], m[4] != ""
	e := report.HostEvent{At: at, Kind: report.EventWiFiDropped}
	switch {
	case m[1] != "":
		e.Kind, e.Detail = report.EventLinkChanged, "up"
	case local && (reason == "3" || reason == "8"): // the station leaves
		e.Kind, e.Detail = report.EventLinkChanged, detailSwitchedOff
	case reason != "0":
		e.Detail = kernelDetail(e.Kind, reason)
	}
	k.wifi.add(e)
	if e.Kind != report.EventWiFiDropped && len(k.events) < maxJournalEvents {
		k.events = append(k.events, kernelRecord{event: e})
	}
}
