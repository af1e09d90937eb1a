package web

import (
	"encoding/hex"
	"net/http"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// accountPage is the content of the page about one's own account.
type accountPage struct {
	Name string
	Role string
	// Password means that the member has one; otherwise they sign in with the provider.
	Password bool
	Sessions []loginRow
}

// loginRow is one signed-in browser.
type loginRow struct {
	ID      string // of the form that ends it
	Browser string // "" if unknown
	Network string
	Since   *when
	Until   *when
	// Present means that the page was requested with this session.
	Present bool
}

func (v view) loginRows(sessions []store.Session, present string) []loginRow {
	var rows []loginRow
	for _, n := range sessions {
		rows = append(rows, loginRow{ID: hex.EncodeToString(n.TokenHash[:]), Browser: n.Browser, Network: n.Network,
			Since: v.when(n.CreatedAt), Until: v.when(n.ExpiresAt), Present: n.TokenHash == store.HashOf(present)})
	}
	return rows
}

func (s *site) account(w http.ResponseWriter, r *http.Request) error {
	member := auth.MemberOf(r.Context())
	sessions, err := s.Auth.Sessions(r.Context(), member.Name)
	if err != nil {
		return err
	}
	m, err := s.Auth.StaffMember(r.Context(), member.Name)
	if err != nil {
		return err
	}
	v := s.view(r)
	s.show(w, r, page{Name: "account", Body: accountPage{Name: member.Name, Password: m.PasswordHash != "", Role: v.T("role." + string(member.Role)),
		Sessions: v.loginRows(sessions, auth.CookieToken(r))}})
	return nil
}

// sessionInForm returns the session that a form names.
func sessionInForm(r *http.Request) (hash store.Hash, err error) {
	b, err := hex.DecodeString(r.PostForm.Get("session"))
	if err != nil || len(b) != len(hash) {
		return hash, store.ErrNotFound
	}
	copy(hash[:], b)
	return hash, nil
}

func (s *site) endOwnSession(w http.ResponseWriter, r *http.Request) error {
	hash, err := sessionInForm(r)
	if err != nil {
		return err
	}
	if err := s.Auth.EndSession(r.Context(), auth.StaffName(r.Context()), hash); err != nil {
		return err
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}

func (s *site) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	if err := s.Auth.EndSessions(r.Context(), auth.StaffName(r.Context()), auth.CookieToken(r)); err != nil {
		return err
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}
