package crash

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRecordsOfOneReport: Windows records a crash, and its report again when it is queued and sent.
// These are one event, at the time of the crash.
func TestRecordsOfOneReport(t *testing.T) {
	const id, other = "8d4e3b5a-7c1f-4a4b-8c1d-2e3f40515253", "17a2b3c4-7c1f-4a4b-8c1d-2e3f40515253"
	at := func(clock, document string) string {
		return strings.Replace(document, "08:00:00.1234567Z", clock+"Z", 1)
	}
	crash := func(id string) string {
		return winDocument("Application Error", 1000, "AppName=Zoom.exe", "ExceptionCode=c0000005", "IntegratorReportId="+id)
	}
	crashUnnamed := winDocument("Application Error", 1000, "Zoom.exe", "6.1", "5f", "x.dll", "1", "60", "c0000005", "0a", "1234", "01d9", `C:\x`, `C:\y`, id, "", "")
	reported := func(id string) string {
		return winDocument("Windows Error Reporting", 1001, "EventName=APPCRASH", "P1=Zoom.exe", "P7=c0000005", "ReportId="+id, "ReportStatus=268435456")
	}
	reportedUnnamed := func(name, id string) string {
		return winDocument("Windows Error Reporting", 1001, "", "0", name, "n", "0", "Zoom.exe", "6.1", "5f", "x.dll", "1", "60", "c0000005", "0a", "", "", "", `C:\x`, "", "0", id, "0", "")
	}
	hang := winDocument("Application Hang", 1002, "AppName=Zoom.exe", "ReportId="+id)
	hangUnnamed := winDocument("Application Hang", 1002, "Zoom.exe", "6.1", "1abc", "01d9", "4294967295", `C:\x`, id, "", "", "Unknown")
	const none = "00000000-0000-0000-0000-000000000000"
	for name, c := range map[string]struct {
		documents []string // earliest first
		want      []string
	}{
		"queued, then sent":   {[]string{at("20:00:00", crash(id)), at("20:00:40", reported(id)), at("23:10:00", reported(id))}, []string{"20:00:00 client_crashed Zoom 0xc0000005"}},
		"unnamed":             {[]string{at("20:00:00", crashUnnamed), at("23:10:00", reportedUnnamed("APPCRASH", id))}, []string{"20:00:00 client_crashed Zoom 0xc0000005"}},
		"braces and capitals": {[]string{at("20:00:00", crash(id)), at("23:10:00", reported("{"+strings.ToUpper(id)+"}"))}, []string{"20:00:00 client_crashed Zoom 0xc0000005"}},
		"only its report":     {[]string{at("20:00:40", reported(id)), at("23:10:00", reported(id))}, []string{"20:00:40 client_crashed Zoom 0xc0000005"}},
		"hang":                {[]string{at("20:00:00", hang), at("23:10:00", reportedUnnamed("AppHangB1", id))}, []string{"20:00:00 client_hung Zoom"}},
		"hang, unnamed":       {[]string{at("20:00:00", hangUnnamed), at("23:10:00", reportedUnnamed("AppHangB1", id))}, []string{"20:00:00 client_hung Zoom"}},
		"crashed earlier":     {[]string{at("07:00:00", crash(id)), at("20:00:00", reported(id))}, nil},
		"two crashes":         {[]string{at("20:00:00", crash(id)), at("20:00:20", crash(other)), at("23:10:00", reported(other))}, []string{"20:00:00 client_crashed Zoom 0xc0000005", "20:00:20 client_crashed Zoom 0xc0000005"}},
		"no id":               {[]string{at("20:00:00", crash("")), at("21:00:00", crash(""))}, []string{"20:00:00 client_crashed Zoom 0xc0000005", "21:00:00 client_crashed Zoom 0xc0000005"}},
		"id of zeros":         {[]string{at("20:00:00", crash(none)), at("21:00:00", crash(none))}, []string{"20:00:00 client_crashed Zoom 0xc0000005", "21:00:00 client_crashed Zoom 0xc0000005"}},
	} {
		var records []winRecord
		for _, document := range c.documents {
			r, err := parseWinEvent(document)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, r)
		}
		for range 2 { // the log is read newest first
			slices.Reverse(records)
			var got []string
			for _, e := range merge(winEvents(records, time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))) {
				got = append(got, e.At.Format(time.TimeOnly)+" "+eventText(e))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
	}
}
