package web

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	auditAddress = "/audit"
	// maxAuditRows limits one table. The last row of a truncated table states that.
	maxAuditRows = 100_000
	dayFormat    = "2006-01-02" // of <input type="date">
)

// auditPage is the content of the audit log.
type auditPage struct {
	Rows  []auditRow
	Staff []auditChoice
	Kinds []auditChoice
	// The other fields of the form.
	From, To, Participant string
	ParticipantName       string
	CSV                   string // address
	First, Next           string // addresses of pages; "" for none
	Retention             []retentionRow
	Copies                []copyRow
	CopiesKnown           bool
}

// auditRow is one entry.
type auditRow struct {
	When    *when
	Who     string // "" for a command
	Role    string
	Kind    string
	About   string // the participant, account or session; "" for none
	Address string // of the page about it; "" for none
	Network string
}

// auditChoice is an option of the form.
type auditChoice struct {
	Value, Word string
	Selected    bool
}

// auditQuery reads the form from the address. An invalid value is ignored.
func (s *site) auditQuery(r *http.Request) store.AuditQuery {
	form := r.URL.Query()
	q := store.AuditQuery{StaffName: form.Get("staff"), ParticipantID: form.Get("participant"), After: form.Get("after")}
	if store.IsAuditKind(form.Get("kind")) {
		q.Kind = store.AuditKind(form.Get("kind"))
	}
	if day, err := time.ParseInLocation(dayFormat, form.Get("from"), s.Zone); err == nil {
		q.From = day
	}
	if day, err := time.ParseInLocation(dayFormat, form.Get("to"), s.Zone); err == nil {
		q.To = day.AddDate(0, 0, 1)
	}
	return q
}

// auditForm returns the form as it goes into addresses.
func auditForm(q store.AuditQuery) url.Values {
	form := url.Values{}
	set := func(name, value string) {
		if value != "" {
			form.Set(name, value)
		}
	}
	set("staff", q.StaffName)
	set("participant", q.ParticipantID)
	set("kind", string(q.Kind))
	set("from", dayOf(q.From))
	set("to", lastDayBefore(q.To))
	return form
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(dayFormat)
}

func lastDayBefore(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return dayOf(t.AddDate(0, 0, -1))
}

func addressWith(path string, form url.Values) string {
	if len(form) == 0 {
		return path
	}
	return path + "?" + form.Encode()
}

func (s *site) audit(w http.ResponseWriter, r *http.Request) error {
	q := s.auditQuery(r)
	found, err := s.Store.AuditEntries(r.Context(), q)
	if errors.Is(err, store.ErrBadCursor) {
		q.After = ""
		found, err = s.Store.AuditEntries(r.Context(), q)
	}
	if err != nil {
		return err
	}
	members, err := s.Auth.Staff(r.Context())
	if err != nil {
		return err
	}
	v := s.view(r)
	form := auditForm(q)
	body := auditPage{From: form.Get("from"), To: form.Get("to"), Participant: clean(q.ParticipantID, maxNameRunes), CSV: addressWith(auditAddress+".csv", form)}
	if q.After != "" {
		body.First = addressWith(auditAddress, form)
	}
	if found.Next != "" {
		form.Set("after", found.Next)
		body.Next = addressWith(auditAddress, form)
	}
	names := s.namesFor(r, v)
	if q.ParticipantID != "" {
		if body.ParticipantName, err = names(q.ParticipantID); err != nil {
			return err
		}
	}
	for _, m := range members {
		body.Staff = append(body.Staff, auditChoice{m.Name, m.Name, m.Name == q.StaffName})
	}
	if q.StaffName != "" && !slices.ContainsFunc(members, func(m store.StaffMember) bool { return m.Name == q.StaffName }) {
		body.Staff = append(body.Staff, auditChoice{q.StaffName, clean(q.StaffName, maxNameRunes), true})
	}
	for _, k := range store.AuditKinds() {
		body.Kinds = append(body.Kinds, auditChoice{string(k), v.T("audit_kind." + string(k)), k == q.Kind})
	}
	for _, e := range found.Entries {
		row, err := v.auditRow(e, names)
		if err != nil {
			return err
		}
		body.Rows = append(body.Rows, row)
	}
	if body.Retention, err = s.retention(r.Context(), v); err != nil {
		return err
	}
	body.Copies, body.CopiesKnown = s.databaseCopies(r.Context(), v)
	s.show(w, r, page{Name: "audit", Body: body})
	return nil
}

// namesFor returns a function that looks up the names of participants, each once.
func (s *site) namesFor(r *http.Request, v view) func(id string) (string, error) {
	known := map[string]string{}
	return func(id string) (string, error) {
		if name, ok := known[id]; ok {
			return name, nil
		}
		name := v.T("audit.gone")
		p, err := s.Store.Participant(r.Context(), id)
		switch {
		case err == nil:
			name = v.name(p)
		case !errors.Is(err, store.ErrNotFound):
			return "", err
		}
		known[id] = name
		return name, nil
	}
}

func (v view) auditRow(e store.AuditEntry, names func(id string) (string, error)) (auditRow, error) {
	row := auditRow{When: v.when(e.At), Who: clean(e.StaffName, maxNameRunes), Kind: v.T("audit_kind." + string(e.Kind)), About: clean(e.Subject, maxNameRunes), Network: e.Network}
	if !store.IsAuditKind(string(e.Kind)) {
		row.Kind = clean(string(e.Kind), maxNameRunes) // of a newer version
	}
	switch e.Kind {
	case store.AuditStaffRole:
		if name, role := store.ParseRoleChange(e.Subject); role != "" {
			row.About = clean(name, maxNameRunes) + ": " + v.T("role."+string(role))
		}
	case store.AuditDeletedByAge:
		row.Who = v.T("audit.automatic")
		if class, n, ok := store.ParseAgeDeletion(e.Subject); ok {
			row.About = v.T("retention."+string(class)) + ": " + v.entries(n)
		}
	case store.AuditOwnPageOpened, store.AuditOwnPageDownloaded:
		row.Who = v.T("audit.self")
	case store.AuditAPITokenUsed:
		row.Who = v.T("audit.program")
	case store.AuditParticipantRead, store.AuditDocumentRead:
		if e.StaffName == "" { // read through the interface for programs
			row.Who = v.T("audit.program") + " " + row.About
		}
	}
	if store.IsRole(string(e.Role)) {
		row.Role = v.T("role." + string(e.Role))
	}
	if e.ParticipantID == "" {
		return row, nil
	}
	name, err := names(e.ParticipantID)
	if err != nil {
		return row, err
	}
	row.About = name
	if auth.May(v.role, auth.Read) && !store.IsPseudonym(e.ParticipantID) {
		row.Address = participantAddress(e.ParticipantID)
		if e.ReportID != "" {
			row.Address = reportAddress(e.ParticipantID, e.ReportID)
		}
	}
	return row, nil
}

// auditTable returns the selected entries as a table, with ids for programs.
func (s *site) auditTable(w http.ResponseWriter, r *http.Request) error {
	q := s.auditQuery(r)
	q.After, q.Limit = "", store.MaxPage
	found, err := s.Store.AuditEntries(r.Context(), q)
	if err != nil {
		return err // before the first byte
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	table := csv.NewWriter(w)
	table.Comma, table.UseCRLF = ';', true
	_ = table.Write([]string{"at", "staff", "role", "kind", "participant", "report", "subject", "network"})
	for rows := 0; ; {
		for _, e := range found.Entries {
			cells := []string{e.At.In(s.Zone).Format(time.RFC3339), e.StaffName, string(e.Role), string(e.Kind), e.ParticipantID, e.ReportID, e.Subject, e.Network}
			for i := range cells {
				cells[i] = enroll.SpreadsheetCell(cells[i])
			}
			_ = table.Write(cells) // Flush keeps the error
		}
		rows += len(found.Entries)
		q.After = found.Next
		if q.After == "" {
			break
		}
		if rows >= maxAuditRows {
			_ = table.Write([]string{"more entries: choose a shorter time"})
			break
		}
		if found, err = s.Store.AuditEntries(r.Context(), q); err != nil {
			s.Log.ErrorContext(r.Context(), "audit log cut off", "err", err)
			_ = table.Write([]string{"error: the table is incomplete"})
			break
		}
	}
	table.Flush()
	return nil // the client may have gone
}
