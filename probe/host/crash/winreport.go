package crash

import (
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// reportWait is how long before the period that is read a crash is looked for. Its report waits
// in a queue until the machine is online, and Windows records each of its states.
const reportWait = 7 * 24 * time.Hour

// winRecord is the content of one record of the event log.
type winRecord struct {
	reportID string // of the report of Windows Error Reporting, "" without one
	events   []report.HostEvent
}

// reportID returns the id that all records of one crash or hang have in common; "" if there is none.
func (e winEvent) reportID() string {
	id := ""
	switch {
	case e.from("Application Error", 1000):
		id = e.value("IntegratorReportId", 12)
	case e.from("Application Hang", 1002):
		id = e.value("ReportId", 6)
	case e.from("Windows Error Reporting", 1001):
		id = e.value("ReportId", 19)
	}
	if strings.Trim(id, "{}0-") == "" { // without Windows Error Reporting all digits are 0
		return ""
	}
	return strings.ToLower(strings.Trim(id, "{}"))
}

// winEvents returns the events since a time. The records of one report are one event, at the time of
// the earliest.
func winEvents(records []winRecord, since time.Time) []report.HostEvent {
	var all []report.HostEvent
	places := map[string]int{} // of a report's event, by id
	for _, r := range records {
		if r.reportID == "" || len(r.events) != 1 {
			all = append(all, r.events...)
			continue
		}
		i, known := places[r.reportID]
		switch {
		case !known:
			places[r.reportID] = len(all)
			all = append(all, r.events[0])
		case r.events[0].At.Before(all[i].At):
			all[i] = combined(r.events[0], all[i])
		default:
			all[i] = combined(all[i], r.events[0])
		}
	}
	return slices.DeleteFunc(all, func(e report.HostEvent) bool { return e.At.Before(since) })
}
