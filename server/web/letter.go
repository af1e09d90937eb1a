package web

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
)

// Limits of letters.
const (
	maxLetters    = 200 // in one print; a page with this many has about one megabyte
	lettersSearch = 10_000
)

// letterSheet is a letter with an enrolment code, to print.
type letterSheet struct {
	Name    string
	Code    string
	Command string
	Link    string  // "" if this collector has no TLS
	Page    string  // the address of the setup page with the code; "" if this collector has no TLS
	Setup   string  // the same without the code, to type
	QR      *qrCode // of Page
	Check   bool    // Page offers the check in the browser
	Origin  string
	Expires *when
	Mail    string // the same as the text of a mail
}

// lettersPage is the content of the form that chooses who gets a letter.
type lettersPage struct {
	Council string // "" for all people
	Address string // of the form
	People  []letterPerson
	Total   int // people who have not set up a computer
	Most    int
}

type letterPerson struct{ ID, Name, Phone string }

// letter returns the letter of an invitation.
func (s *site) letter(r *http.Request, v view, i enroll.Invitation) (letterSheet, error) {
	l := letterSheet{Name: v.name(i.Participant), Code: i.Code, Origin: s.origin(r), Expires: v.when(i.ExpiresAt),
		Command: "tonprobe enroll " + i.Code + " --server " + s.origin(r)}
	if link, ok := wire.InvitationFor(s.origin(r), i.Code, s.AuthorityPin()); ok {
		l.Link = link.String()
		l.Command = `tonprobe enroll "` + l.Link + `"`
		l.Page, l.Setup = link.Page(), link.Origin()+wire.InvitationPath
		code, err := newQRCode(l.Page)
		if err != nil {
			return l, err
		}
		l.QR, l.Check = &code, s.offersCheck()
	}
	steps := "1. " + v.T("letter.start") + "\n2. " + v.T("letter.type") + "\n   " + l.Command + "\n3. " + v.T("letter.check")
	if l.Page != "" {
		steps = "1. " + v.T("letter.page") + "\n   " + l.Page + "\n2. " + v.T("letter.install") + "\n3. " + v.T("letter.open")
		if l.Check {
			steps += "\n\n" + v.T("letter.tablet")
		}
	}
	l.Mail = strings.Join([]string{v.T("letter.greeting") + " " + l.Name + ",", v.T("letter.intro"), steps,
		v.T("code.title") + ": " + l.Code + "\n" + v.T("code.until") + " " + l.Expires.Exact, v.T("letter.help")}, "\n\n")
	return l, nil
}

// councilParam limits the letters to the members of a council.
const councilParam = "council"

// lettersAddress is the address of the letters of a council, or of all people.
func lettersAddress(councilID string) string {
	if councilID == "" {
		return "/letters"
	}
	return "/letters?" + url.Values{councilParam: {councilID}}.Encode()
}

// needsLetter reports whether a person can set up a computer and has not done so.
func needsLetter(p store.ParticipantState) bool { return !p.Enrolled && !p.Blocked }

// membersNotEnrolled returns the members of a council who have not set up a computer, by name.
func (s *site) membersNotEnrolled(r *http.Request, councilID string) ([]store.ParticipantState, error) {
	members, _, err := s.Store.CouncilMembers(r.Context(), councilID)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(p store.ParticipantState) bool { return !needsLetter(p) })
	slices.SortFunc(members, func(a, b store.ParticipantState) int { return compareNames(a.Participant, b.Participant) })
	return members, nil
}

func compareNames(a, b store.Participant) int {
	return cmp.Or(strings.Compare(store.NameKey(a.Name), store.NameKey(b.Name)), strings.Compare(a.ID, b.ID))
}

// notEnrolled returns those who have not set up a computer, by name.
func (s *site) notEnrolled(r *http.Request) ([]store.ParticipantState, error) {
	var all []store.ParticipantState
	q := store.StateQuery{Never: true, Blocked: store.BlockedNot, Limit: store.MaxPage}
	for read := 0; read < lettersSearch; {
		page, err := s.Store.ParticipantStates(r.Context(), q)
		if err != nil {
			return nil, err
		}
		for _, p := range page.States {
			if needsLetter(p) {
				all = append(all, p)
			}
		}
		read += len(page.States)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	return all, nil
}

// letters shows who has not set up a computer yet, of one council or of all people, and offers letters.
func (s *site) letters(w http.ResponseWriter, r *http.Request) error {
	var all []store.ParticipantState
	id := r.URL.Query().Get(councilParam)
	body := lettersPage{Address: lettersAddress(id), Most: maxLetters}
	if id == "" {
		var err error
		if all, err = s.notEnrolled(r); err != nil {
			return err
		}
	} else {
		council, err := s.Store.Council(r.Context(), id)
		if err != nil {
			return err
		}
		if all, err = s.membersNotEnrolled(r, id); err != nil {
			return err
		}
		body.Council = clean(council.Name, maxNameRunes)
	}
	v := s.view(r)
	body.Total = len(all)
	for _, p := range all[:min(len(all), maxLetters)] {
		body.People = append(body.People, letterPerson{p.ID, v.name(p.Participant), clean(p.Phone, maxNameRunes)})
	}
	s.show(w, r, page{Name: "letters", Body: body})
	return nil
}

// writeLetters creates a code for each chosen person, and shows the letters or returns them as a
// table. The codes cannot be shown later.
func (s *site) writeLetters(w http.ResponseWriter, r *http.Request) error {
	ids := slices.Compact(slices.Sorted(slices.Values(r.PostForm["participant"])))
	if len(ids) == 0 || len(ids) > maxLetters {
		http.Redirect(w, r, lettersAddress(r.URL.Query().Get(councilParam)), http.StatusSeeOther)
		return nil
	}
	var people []store.Participant
	for _, id := range ids {
		p, err := s.Store.Participant(r.Context(), id)
		if err != nil {
			return err
		}
		people = append(people, p)
	}
	slices.SortFunc(people, compareNames)
	noteOf(r).participants = ids
	v := s.view(r)
	var sheets []letterSheet
	var rows [][]string
	for _, p := range people {
		i, err := s.Enroller.Code(r.Context(), p)
		if err != nil {
			return err
		}
		sheet, err := s.letter(r, v, i)
		if err != nil {
			return err
		}
		sheets = append(sheets, sheet)
		rows = append(rows, []string{enroll.SpreadsheetCell(p.Name), enroll.SpreadsheetCell(p.Phone), i.Code, sheet.Link, i.ExpiresAt.In(s.Zone).Format("02.01.2006"), sheet.Page})
	}
	if r.PostForm.Get("as") == "csv" {
		return writeCSV(w, []string{"name", "phone", "code", "link", "expires", "page"}, rows)
	}
	s.show(w, r, page{Status: http.StatusCreated, Name: "letter", Body: sheets})
	return nil
}

// writeCSV answers with a table that German versions of Excel read as well.
func writeCSV(w http.ResponseWriter, head []string, rows [][]string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="codes.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	table := csv.NewWriter(w)
	table.Comma, table.UseCRLF = ';', true
	if err := table.WriteAll(append([][]string{head}, rows...)); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}
