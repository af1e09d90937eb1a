package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/roster"
)

// ris is a council information system for tests: documents by their path and query. "HOST" in a
// document is its address.
type ris struct {
	*httptest.Server
	documents map[string]string
	requests  int
}

func newRIS(t *testing.T, documents map[string]string) *ris {
	t.Helper()
	s := &ris{documents: documents}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests++
		d, ok := s.documents[r.URL.RequestURI()]
		if to, redirect := strings.CutPrefix(d, "-> "); redirect {
			http.Redirect(w, r, strings.ReplaceAll(to, "HOST", s.URL), http.StatusFound)
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strings.ReplaceAll(d, "HOST", s.URL)))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *ris) read(t *testing.T, path, organization string) (*roster.Roster, error) {
	t.Helper()
	return roster.OParl{URL: s.URL + path, Access: roster.Access{AllowPrivate: true}, Organization: organization, Window: window,
		Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Local: berlin}.Read(t.Context())
}

// session is shaped like Session: ids with queries, memberships embedded in persons, and
// Organization.membership as addresses.
func session() map[string]string {
	return map[string]string{
		"/oparl/system": `{"id":"HOST/oparl/system","type":"https://schema.oparl.org/1.1/System","oparlVersion":"https://schema.oparl.org/1.1/","body":"HOST/oparl/bodies"}`,
		"/oparl/bodies": `{"data":[{"id":"HOST/oparl/body?id=1","type":"https://schema.oparl.org/1.1/Body","name":"Stadt Musterstadt","organization":"HOST/oparl/organizations?body=1","person":"HOST/oparl/persons?body=1","meeting":"HOST/oparl/meetings?body=1"}],"pagination":{"totalElements":1},"links":{}}`,
		"/oparl/organizations?body=1": `{"data":[
			{"id":"HOST/oparl/organizations.asp?typ=gr&id=1","type":"https://schema.oparl.org/1.1/Organization","name":"Rat der Stadt","shortName":"Rat","meeting":"HOST/oparl/meetings?gr=1","membership":["HOST/oparl/memberships.asp?id=1","HOST/oparl/memberships.asp?id=2","HOST/oparl/memberships.asp?id=3","HOST/oparl/memberships.asp?id=4","HOST/oparl/memberships.asp?id=5"]},
			{"id":"HOST/oparl/organizations.asp?typ=gr&id=2","name":"Bauausschuss","shortName":"BA","meeting":"HOST/oparl/meetings?gr=2","membership":["HOST/oparl/memberships.asp?id=6"]},
			{"id":"HOST/oparl/organizations.asp?typ=gr&id=3","deleted":true,"name":"Rat der Stadt"}],"links":{}}`,
		"/oparl/persons?body=1": `{"data":[
			{"id":"HOST/p?id=1","name":"Anna Muster","phone":["0228 5550101"],"email":["anna@example.org","b@example.org"],"membership":[{"id":"HOST/oparl/memberships.asp?id=1","organization":"HOST/oparl/organizations.asp?typ=gr&id=1","role":"Vorsitz","votingRight":true,"startDate":"2020-11-01"},{"id":"HOST/oparl/memberships.asp?id=6","organization":"HOST/oparl/organizations.asp?typ=gr&id=2","role":"Mitglied"}]},
			{"id":"HOST/p?id=2","name":"Bernd Alt","membership":[{"id":"HOST/oparl/memberships.asp?id=2","organization":"HOST/oparl/organizations.asp?typ=gr&id=1","endDate":"2026-06-30"}]}],
			"pagination":{"currentPage":1,"elementsPerPage":2,"totalElements":4,"totalPages":2},"links":{"first":"HOST/oparl/persons?body=1","next":"HOST/oparl/persons?body=1&page=2"}}`,
		"/oparl/persons?body=1&page=2": `{"data":[
			{"id":"HOST/p?id=3","familyName":"Neu","givenName":"Cem","phone":"0228/5550103","membership":[{"id":"HOST/oparl/memberships.asp?id=3","organization":"HOST/oparl/organizations.asp?typ=gr&id=1","startDate":"2026-07-01"}]},
			{"id":"HOST/p?id=4","deleted":true,"name":"Dora Weg","membership":[{"id":"HOST/oparl/memberships.asp?id=4","organization":"HOST/oparl/organizations.asp?typ=gr&id=1"}]},
			{"id":"HOST/p?id=5","name":"Emil Zurück","membership":[{"id":"HOST/oparl/memberships.asp?id=5","organization":"HOST/oparl/organizations.asp?typ=gr&id=1","deleted":true}]}],
			"pagination":{"totalElements":4},"links":{"first":"HOST/oparl/persons?body=1"}}`,
		"/oparl/meetings?gr=1": `{"data":[
			{"id":"HOST/m/1","name":"Alte Sitzung","start":"2019-06-01T18:00:00+02:00","organization":["HOST/oparl/organizations.asp?typ=gr&id=1"]},
			{"id":"HOST/m/2","name":"12. Sitzung des Rates","meetingState":"eingeladen","cancelled":false,"start":"2026-06-16T18:00:00+02:00","end":"2026-06-16T21:00:00+02:00","location":{"description":"Ratssaal","streetAddress":"Markt 1","postalCode":"12345","locality":"Musterstadt"},"organization":["HOST/oparl/organizations.asp?typ=gr&id=1"],"participant":["HOST/p?id=9"]},
			{"id":"HOST/m/3","name":"13. Sitzung des Rates","start":"2026-07-14T18:00:00+02:00","cancelled":true,"organization":["HOST/oparl/organizations.asp?typ=gr&id=1"]},
			{"id":"HOST/m/4","deleted":true,"name":"weg","start":"2026-08-14T18:00:00+02:00","organization":["HOST/oparl/organizations.asp?typ=gr&id=1"]}],"links":{}}`,
		"/oparl/meetings?body=1": `{"data":[
			{"id":"HOST/m/2","name":"12. Sitzung des Rates","start":"2026-06-16T18:00:00+02:00","organization":["HOST/oparl/organizations.asp?typ=gr&id=1"]},
			{"id":"HOST/m/5","name":"Gemeinsame Sitzung","start":"2026-06-20T18:00:00+02:00","organization":["HOST/oparl/organizations.asp?typ=gr&id=1","HOST/oparl/organizations.asp?typ=gr&id=2"]}],"links":{}}`,
	}
}

func names(members []roster.Member) string {
	var all []string
	for _, m := range members {
		all = append(all, strings.TrimRight(fmt.Sprintf("%s|%s|%s|%s", m.Name, m.Phone, m.Email, m.Role), "|"))
	}
	return strings.Join(all, "; ")
}

func TestOParlRoster(t *testing.T) {
	s := newRIS(t, session())
	for _, by := range []string{"Rat der Stadt", "rat", s.URL + "/oparl/organizations.asp?typ=gr&id=1"} {
		r, err := s.read(t, "/oparl/system", by)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := list(r), "2026-06-16 18:00 +3h0m0s 12. Sitzung des Rates; 2026-07-14 18:00 13. Sitzung des Rates cancelled"; got != want || !r.Complete {
			t.Fatalf("%s: got %q, want %q; complete %v, notes %q", by, got, want, r.Complete, r.Notes)
		}
		m := r.Meetings[0]
		if m.Location != "Ratssaal, Markt 1, 12345, Musterstadt" || m.ID != s.URL+"/m/2" {
			t.Errorf("got %+v; want Location %q, ID %v", m, "Ratssaal, Markt 1, 12345, Musterstadt", s.URL+"/m/2")
		}
		if got, want := names(m.Members), "Anna Muster|0228 5550101|anna@example.org|Vorsitz; Bernd Alt"; got != want {
			t.Errorf("in June: got %q, want %q", got, want)
		}
		if got, want := names(r.Meetings[1].Members), "Anna Muster|0228 5550101|anna@example.org|Vorsitz; Cem Neu|0228/5550103"; got != want {
			t.Errorf("in July: got %q, want %q", got, want)
		}
		if len(r.Organizations) != 1 || r.Organizations[0].Body != "Stadt Musterstadt" || names(r.Organizations[0].Members) != names(m.Members) {
			t.Errorf("got organizations %+v, want one of Musterstadt with the members of its meeting", r.Organizations)
		}
	}
	r, err := s.read(t, "/oparl/system", "")
	if err != nil || len(r.Organizations) != 2 || len(r.Meetings) != 2 || len(r.Meetings[1].Organizations) != 2 || len(r.Meetings[1].Members) != 2 {
		t.Errorf("all organizations: got %+v, error %v; want 2 organizations and 2 meetings, the second of both", r, err)
	}
	for by, want := range map[string]string{"Kreistag": `no organization "Kreistag", only: Bauausschuss, Rat der Stadt`} {
		if _, err := s.read(t, "/oparl/system", by); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", by, err, want)
		}
	}
}

// TestOParlShapes reads the shapes of other systems, with their faults. Each has one meeting of
// the council with the member Anna Muster.
func TestOParlShapes(t *testing.T) {
	const meeting = `{"id":"HOST/m/1","name":"Sitzung","start":"2026-06-16T18:00:00+02:00","organization":["HOST/o/1"]}`
	for name, d := range map[string]map[string]string{
		"SD.NET RIM: 1.0, each object on request": {
			"/webservice/oparl/v1.0/system": `{"id":"HOST/webservice/oparl/v1.0/system","body":"HOST/b"}`,
			"/b":                            `{"data":["HOST/b/1"],"pagination":{"totalElements":"1"},"links":{"next":null}}`,
			"/b/1":                          `{"id":"HOST/b/1","name":"Stadt","organization":"HOST/b/1/o","person":"HOST/b/1/p","meeting":"HOST/b/1/m"}`,
			"/b/1/o":                        `{"data":["HOST/o/1"],"links":[]}`,
			"/o/1":                          `{"id":"HOST/o/1","name":"Rat","membership":["HOST/ms/1","HOST/ms/2"]}`,
			"/b/1/m":                        `{"data":["HOST/m/1"]}`,
			"/m/1":                          meeting,
			"/b/1/p":                        `{"data":["HOST/p/1"]}`,
			"/ms/1":                         `{"id":"HOST/ms/1","person":"HOST/p/1","organization":"HOST/o/1","startDate":"2014-06-01T00:00:00+02:00","endDate":null}`,
			"/ms/2":                         `{"id":"HOST/ms/2","person":"HOST/p/2","organization":"HOST/o/1","endDate":"2026-06-15"}`,
			"/p/1":                          `{"id":"HOST/p/1","name":"Anna Muster"}`,
			"/p/2":                          `{"id":"HOST/p/2","name":"Früher Einmal"}`,
		},
		"ALLRIS: embedded objects, the body's address, dates without zones, next behind the last page": {
			"/public/oparl/system": `{"id":"HOST/public/oparl/system","body":"HOST/b"}`,
			"/b":                   `{"id":"HOST/b","organization":"HOST/o","person":"HOST/p","meeting":"HOST/m","name":"Gemeinde"}`,
			"/o":                   `{"data":[{"id":"HOST/o/1","name":"Rat","membership":[{"id":"HOST/ms/1","person":{"id":"HOST/p/1","name":"Anna Muster"},"startDate":"01.06.2014","endDate":"0001-01-01T00:00:00"},{"id":"HOST/ms/2","person":{"id":"HOST/p/2","name":"Noch Nicht"},"startDate":"17.06.2026"}]}],"links":{"next":"HOST/o?page=2"}}`,
			"/o?page=2":            `{"data":[],"links":{"next":"HOST/o?page=3"}}`,
			"/p":                   `{"data":[]}`,
			"/m":                   `{"data":[{"id":"HOST/m/1","name":"Sitzung","start":"2026-06-16 18:00","organization":"HOST/o/1"}],"links":{}}`,
		},
		"more!rubin: no list of memberships, numbers and texts for each other": {
			"/public/oparl/system": `{"id":"HOST/public/oparl/system","body":["HOST/b/1"]}`,
			"/b/1":                 `{"id":"HOST/b/1","name":7,"organization":"HOST/o","person":"HOST/p","meeting":"HOST/m"}`,
			"/o":                   `{"data":[{"id":"HOST/o/1","name":["Rat"]}]}`,
			"/p":                   `{"data":[{"id":"HOST/p/1","name":"Anna Muster","phone":4922855501,"membership":[{"id":"HOST/ms/1","organization":"HOST/o/1","endDate":"9999-12-31"}]},{"id":"HOST/p/2","name":"Aus Dem Bau","membership":[{"id":"HOST/ms/2","organization":"HOST/o/2"}]}]}`,
			"/m":                   `{"data":{"id":"HOST/m/1","name":"Sitzung","start":"2026-06-16T16:00:00Z","organization":[{"id":"HOST/o/1","name":"Rat"}],"cancelled":"false"}}`,
		},
		"a server with http URLs behind https, with a byte order mark": {
			"/public/oparl/system": "\ufeff" + `{"id":"/public/oparl/system","body":"/b"}`,
			"/b":                   `{"data":[{"id":"/b/1","name":"Stadt","organization":"/o","person":"/p","meeting":"/m"}]}`,
			"/o":                   `{"data":[{"id":"/o/1","name":"Rat","membership":"/ms"}]}`,
			"/ms":                  `{"data":[{"id":"/ms/1","person":"/p/1","organization":"/o/1"}]}`,
			"/p":                   `{"data":[{"id":"/p/1","name":"Anna Muster"}]}`,
			"/m":                   `{"data":[{"id":"/m/1","name":"Sitzung","start":"2026-06-16T18:00:00+0200","organization":["/o/1"]}]}`,
		},
	} {
		path := "/public/oparl/system"
		if strings.HasPrefix(name, "SD.NET") {
			path = "/webservice/oparl/v1.0/system"
		}
		s := newRIS(t, d)
		r, err := s.read(t, path, "Rat")
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		if got := list(r); got != "2026-06-16 18:00 Sitzung" || !r.Complete {
			t.Errorf("%s: got %q, complete %v, notes %q; want %q, true", name, got, r.Complete, r.Notes, "2026-06-16 18:00 Sitzung")
		} else if n := names(r.Meetings[0].Members); !strings.HasPrefix(n, "Anna Muster") || len(r.Meetings[0].Members) != 1 {
			t.Errorf("%s: got members %q, want Anna Muster only", name, n)
		}
	}
}

// small returns a system with one meeting and one member.
func small(change map[string]string) map[string]string {
	d := map[string]string{
		"/s": `{"body":"HOST/b"}`,
		"/b": `{"data":[{"id":"HOST/b/1","name":"Stadt","organization":"HOST/o","person":"HOST/p","meeting":"HOST/m"}]}`,
		"/o": `{"data":[{"id":"HOST/o/1","name":"Rat","membership":["HOST/ms/1"]}]}`,
		"/p": `{"data":[{"id":"HOST/p/1","name":"Anna","membership":[{"id":"HOST/ms/1","organization":"HOST/o/1"}]}]}`,
		"/m": `{"data":[{"id":"HOST/m/1","name":"Sitzung","start":"2026-06-16T18:00:00+02:00","organization":["HOST/o/1"]}]}`,
	}
	for k, v := range change {
		d[k] = v
	}
	return d
}

func TestOParlFaults(t *testing.T) {
	const m1, m2 = `{"id":"HOST/m/1","name":"A","start":"2026-06-16T18:00:00+02:00","organization":["HOST/o/1"]}`, `{"id":"HOST/m/2","name":"B","start":"2026-06-17T18:00:00+02:00","organization":["HOST/o/1"]}`
	for name, c := range map[string]struct {
		change   map[string]string
		want     string
		complete bool
	}{
		"many values that are not read":  {map[string]string{"/p": `{"data":[{"id":"HOST/p/1","name":"Anna","x":[` + strings.Repeat("0,", 5_000_000) + `0],"membership":[{"id":"HOST/ms/1","organization":"HOST/o/1"}]}]}`}, "2026-06-16 18:00 Sitzung", true},
		"unchanged":                      {nil, "2026-06-16 18:00 Sitzung", true},
		"the same page endlessly":        {map[string]string{"/m": `{"data":[` + m1 + `],"links":{"next":"HOST/m"}}`}, "2026-06-16 18:00 A", false},
		"the same page, but complete":    {map[string]string{"/m": `{"data":[` + m1 + `],"links":{"next":"HOST/m"},"pagination":{"totalElements":1}}`}, "2026-06-16 18:00 A", true},
		"the same page at new addresses": {map[string]string{"/m": `{"data":[` + m1 + `],"links":{"next":"HOST/m?2"}}`, "/m?2": `{"data":[` + m1 + `],"links":{"next":"HOST/m?3"}}`}, "2026-06-16 18:00 A", false},
		"next points back": {map[string]string{"/m": `{"data":[` + m1 + `],"links":{"next":"HOST/m?2"}}`, "/m?2": `{"data":[` + m2 + `],"links":{"next":"HOST/m"}}`},
			"2026-06-16 18:00 A; 2026-06-17 18:00 B", false},
		"an empty page with fewer than announced": {map[string]string{"/m": `{"data":[` + m1 + `],"links":{"next":"HOST/m?2"},"pagination":{"totalElements":9}}`, "/m?2": `{"data":[],"links":{"next":"HOST/m?3"},"pagination":{"totalElements":9}}`}, "2026-06-16 18:00 A", false},
		"a start without time":                    {map[string]string{"/m": `{"data":[` + m1 + `,{"id":"HOST/m/2","start":"2026-06-17","organization":["HOST/o/1"]}]}`}, "2026-06-16 18:00 A", false},
		"no start":                                {map[string]string{"/m": `{"data":[` + m1 + `,{"id":"HOST/m/2","start":{},"organization":["HOST/o/1"]}]}`}, "2026-06-16 18:00 A", false},
		"nulls":                                   {map[string]string{"/m": `{"data":[null,7,[],"",` + m1 + `,{"id":null},{"id":"HOST/m/3","organization":null,"start":null}],"links":null,"pagination":null}`}, "2026-06-16 18:00 A", true},
		"a member of another server":              {map[string]string{"/o": `{"data":[{"id":"HOST/o/1","name":"Rat","membership":["HOST/ms/1","http://169.254.169.254/latest/meta-data"]}]}`}, "2026-06-16 18:00 Sitzung", false},
		"a membership that is missing":            {map[string]string{"/o": `{"data":[{"id":"HOST/o/1","name":"Rat","membership":["HOST/ms/1","HOST/ms/404"]}]}`}, "2026-06-16 18:00 Sitzung", false},
		"a membership with an invalid end":        {map[string]string{"/p": `{"data":[{"id":"HOST/p/1","name":"Anna","membership":[{"id":"HOST/ms/1","organization":"HOST/o/1","endDate":"bald"}]}]}`}, "2026-06-16 18:00 Sitzung", false},
		"no members":                              {map[string]string{"/o": `{"data":[{"id":"HOST/o/1","name":"Rat"}]}`, "/p": `{"data":[]}`}, "2026-06-16 18:00 Sitzung", false},
		"no list of persons":                      {map[string]string{"/b": `{"data":[{"id":"HOST/b/1","name":"Stadt","organization":"HOST/o","meeting":"HOST/m"}]}`, "/ms/1": `{"id":"HOST/ms/1","person":"HOST/p/1"}`, "/p/1": `{"id":"HOST/p/1","name":"Anna"}`}, "2026-06-16 18:00 Sitzung", true},
		"abgesagt":                                {map[string]string{"/m": `{"data":[{"id":"HOST/m/1","name":"A","meetingState":"abgesagt","start":"2026-06-16T18:00:00+02:00","organization":["HOST/o/1"]}]}`}, "2026-06-16 18:00 A cancelled", true},
	} {
		r, err := newRIS(t, small(c.change)).read(t, "/s", "Rat")
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		if got := list(r); got != c.want || r.Complete != c.complete || !r.Complete && len(r.Notes) == 0 {
			t.Errorf("%s: got %q, complete %v, want %q, complete %v; notes %q", name, got, r.Complete, c.want, c.complete, r.Notes)
		}
		checkRoster(t, r)
	}
}

// TestOParlRefusals: nothing is returned, so that nothing is changed.
func TestOParlRefusals(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the other server received a request for %s", r.URL)
		_, _ = w.Write([]byte(`{"data":[]}`))
	}))
	t.Cleanup(other.Close)
	for name, c := range map[string]struct {
		change map[string]string
		want   error
		text   string
	}{
		"a web page":                {map[string]string{"/s": "<html>Anmeldung</html>"}, roster.ErrFormat, "web page"},
		"no JSON":                   {map[string]string{"/s": "{"}, roster.ErrFormat, ""},
		"null":                      {map[string]string{"/s": "null"}, roster.ErrFormat, ""},
		"a list":                    {map[string]string{"/s": "[]"}, roster.ErrFormat, ""},
		"another JSON":              {map[string]string{"/s": `{"hello":1}`}, roster.ErrFormat, "neither an OParl system"},
		"no body":                   {map[string]string{"/b": `{"data":[]}`}, roster.ErrFormat, "no body"},
		"redirect to another host":  {map[string]string{"/b": "-> " + other.URL + "/b"}, roster.ErrForeign, ""},
		"link to another host":      {map[string]string{"/s": `{"body":"` + other.URL + `/b"}`}, roster.ErrForeign, ""},
		"next on another host":      {map[string]string{"/m": `{"data":[],"links":{"next":"` + other.URL + `/m"}}`}, roster.ErrForeign, ""},
		"link to a file":            {map[string]string{"/s": `{"body":"file:///etc/passwd"}`}, roster.ErrForeign, ""},
		"redirects endlessly":       {map[string]string{"/b": "-> HOST/b"}, nil, "redirects more than"},
		"two councils of that name": {map[string]string{"/o": `{"data":[{"id":"HOST/o/1","name":"Rat"},{"id":"HOST/o/2","name":"RAT"}]}`}, nil, "give the URL"},
		"a deep document":           {map[string]string{"/s": strings.Repeat("[", 1<<20)}, roster.ErrFormat, ""},
		"too many values":           {map[string]string{"/m": `{"data":[{"id":"HOST/m/1","name":[` + strings.Repeat("0,", 5_000_000) + `0]}]}`}, roster.ErrTooLarge, "values"},
		"too large":                 {map[string]string{"/m": `{"data":[],"x":"` + strings.Repeat("x", roster.MaxDocumentBytes) + `"}`}, roster.ErrTooLarge, "MiB"},
	} {
		r, err := newRIS(t, small(c.change)).read(t, "/s", "Rat")
		if err == nil || r != nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %+v, error %v; want %v %q", name, r, err, c.want, c.text)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: got an error of %d bytes, want at most 1000", name, len(err.Error()))
		}
	}
}

// TestOParlEndlessList: each page is new.
func TestOParlEndlessList(t *testing.T) {
	documents := small(nil)
	s := newRIS(t, documents)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := documents[r.URL.RequestURI()]
		if !ok || r.URL.Path == "/m" {
			s.requests++
			d = fmt.Sprintf(`{"data":[{"id":"HOST/m/%d"}],"links":{"next":"HOST/m?page=%d"}}`, s.requests, s.requests)
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(d, "HOST", s.URL)))
	})
	if r, err := s.read(t, "/s", ""); !errors.Is(err, roster.ErrTooLarge) || r != nil || s.requests > 2100 {
		t.Errorf("got error %v after %d requests, want %v", err, s.requests, roster.ErrTooLarge)
	}
}

// TestOParlHalfList: a list ends where the server links to no next page. A count that is too large is no reason to
// keep former members for ever, but a list that is cut off is none to cancel sessions and remove members.
func TestOParlHalfList(t *testing.T) {
	const m = `{"id":"HOST/m/1","name":"A","start":"2026-06-16T18:00:00+02:00","organization":["HOST/o/1"]}`
	const p = `{"id":"HOST/p/1","name":"Anna","membership":[{"id":"HOST/ms/1","organization":"HOST/o/1"}]}`
	withoutMemberships := map[string]string{"/o": `{"data":[{"id":"HOST/o/1","name":"Rat"}]}`}
	for name, c := range map[string]struct {
		list, page string
		others     map[string]string
		complete   bool
		note       string // a part of one; "" for none
	}{
		"empty, and announced as larger": {"/m", `{"data":[],"pagination":{"totalElements":57},"links":{}}`, nil, false, "0 of 57"},
		"empty":                          {"/m", `{"data":[],"pagination":{"totalElements":0},"links":{}}`, nil, true, ""},
		"empty without a count":          {"/m", `{"data":[]}`, nil, true, ""},
		"a wrong count":                  {"/m", `{"data":[` + m + `],"pagination":{"totalElements":57},"links":{}}`, nil, true, "announces 57"},
		"a wrong count, page not full":   {"/m", `{"data":[` + m + `],"pagination":{"totalElements":57,"elementsPerPage":20},"links":{}}`, nil, true, "announces 57"},
		"a wrong count, the only page":   {"/m", `{"data":[` + m + `],"pagination":{"totalElements":57,"elementsPerPage":1,"currentPage":1,"totalPages":1},"links":{}}`, nil, true, "announces 57"},
		"pages from 0":                   {"/m", `{"data":[` + m + `],"pagination":{"totalElements":1,"elementsPerPage":20,"currentPage":0,"totalPages":1},"links":{}}`, nil, true, ""},
		"a count that is too small":      {"/m", `{"data":[` + m + `],"pagination":{"totalElements":-3,"totalPages":"x"},"links":{}}`, nil, true, ""},
		"a full page":                    {"/m", `{"data":[` + m + `],"pagination":{"totalElements":57,"elementsPerPage":1},"links":{}}`, nil, false, "1 of 57"},
		"more pages":                     {"/m", `{"data":[` + m + `],"pagination":{"totalPages":3},"links":{}}`, nil, false, "ends after 1"},
		"announced on the first page only": {"/m", `{"data":[` + m + `],"links":{"next":"HOST/m?2"},"pagination":{"totalElements":9}}`,
			map[string]string{"/m?2": `{"data":[],"links":{}}`}, false, "1 of 9"},
		"announced once, then an empty page with a next one": {"/m", `{"data":[` + m + `],"links":{"next":"HOST/m?2"},"pagination":{"totalElements":9}}`,
			map[string]string{"/m?2": `{"data":[],"links":{"next":"HOST/m?3"}}`}, false, "repeats itself"},
		"pages announced once": {"/m", `{"data":[` + m + `],"links":{"next":"HOST/m?2"},"pagination":{"totalPages":3}}`,
			map[string]string{"/m?2": `{"data":[],"links":{}}`}, false, "ends after 1"},
		"persons, a wrong count":              {"/p", `{"data":[` + p + `],"pagination":{"totalElements":57},"links":{}}`, nil, true, "announces 57"},
		"persons are cut off":                 {"/p", `{"data":[` + p + `],"pagination":{"totalElements":57,"elementsPerPage":1},"links":{}}`, nil, true, "1 of 57"},
		"persons repeat":                      {"/p", `{"data":[` + p + `],"links":{"next":"HOST/p"}}`, nil, true, "repeats itself"},
		"members by person, a wrong count":    {"/p", `{"data":[` + p + `],"pagination":{"totalElements":57},"links":{}}`, withoutMemberships, true, "announces 57"},
		"members by person, who are cut off":  {"/p", `{"data":[` + p + `],"pagination":{"totalElements":57,"elementsPerPage":1},"links":{}}`, withoutMemberships, false, "could not be read completely"},
		"members by person, whose list loops": {"/p", `{"data":[` + p + `],"links":{"next":"HOST/p"}}`, withoutMemberships, false, "could not be read completely"},
	} {
		change := map[string]string{c.list: c.page}
		for address, document := range c.others {
			change[address] = document
		}
		r, err := newRIS(t, small(change)).read(t, "/s", "Rat")
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		notes := strings.Join(r.Notes, " ")
		if r.Complete != c.complete || !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: got complete %v, notes %q; want complete %v, notes with %q", name, r.Complete, r.Notes, c.complete, c.note)
		}
		if members := names(r.Organizations[0].Members); !strings.HasPrefix(members, "Anna") {
			t.Errorf("%s: got members %q, want Anna", name, members)
		}
	}
}

func TestOParlStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	_, err := roster.OParl{URL: s.URL, Access: roster.Access{AllowPrivate: true}, Window: window, Local: berlin}.Read(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestAddresses(t *testing.T) {
	s := newRIS(t, small(nil))
	read := func(address string) error {
		_, err := roster.OParl{URL: address, Window: window, Local: berlin}.Read(t.Context())
		return err
	}
	for _, address := range []string{s.URL + "/s", strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/s", strings.Replace(s.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "http://169.254.169.254/", "http://10.0.0.1/", "http://[::1]/", "http://0.0.0.0/", "http://100.64.1.1/", "http://[fd00::1]/"} {
		if err := read(address); !errors.Is(err, roster.ErrPrivate) || !strings.Contains(err.Error(), "--allow-private") {
			t.Errorf("%s: got error %v, want %v", address, err, roster.ErrPrivate)
		}
	}
	if s.requests > 0 {
		t.Errorf("%d requests reached this machine", s.requests)
	}
	for _, address := range []string{"", "file:///etc/passwd", "ftp://example.org", "example.org/oparl", "https://", "https://user:secret@example.org/"} {
		err := read(address)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got error %v; want one without %q", address, err, "secret")
		}
	}
	// An address with a secret does not appear in an error.
	_, err := roster.Calendar{Window: window, Local: berlin}.ReadURL(t.Context(), s.URL+"/calendar.ics?token=geheim", roster.Access{AllowPrivate: true})
	if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "404") {
		t.Errorf("got error %v, want one with 404 and without the secret", err)
	}
}

func FuzzOParl(f *testing.F) {
	for _, d := range session() {
		f.Add(d)
	}
	f.Add(`{"data":[{"id":"HOST/x","membership":[{"person":{"name":"A"},"startDate":1}],"start":"2026-06-16T18:00:00Z","organization":{"id":"HOST/x"}}],"links":{"next":"HOST/?1"}}`)
	// One document answers every request.
	f.Fuzz(func(t *testing.T, d string) {
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			_, _ = w.WriteString(strings.ReplaceAll(d, "HOST", "http://ris.example"))
			return w.Result(), nil
		})}
		r, err := roster.OParl{URL: "http://ris.example/", Access: roster.Access{Client: client}, Window: window, Local: berlin}.Read(t.Context())
		if (r == nil) == (err == nil) {
			t.Fatalf("got roster %v, error %v; want one of both", r, err)
		}
		if err == nil {
			checkRoster(t, r)
			if _, err := json.Marshal(r); err != nil {
				t.Fatal(err)
			}
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
