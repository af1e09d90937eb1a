package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	staffAddress       = "/staff"
	staffMemberAddress = "/staff/member"
)

// staffPage is the content of the list of staff.
type staffPage struct {
	Members []staffRow
	Roles   []roleChoice
	Name    string // in the form
	Problem string // key of the texts; "" for none
}

// staffRow is one member in the list.
type staffRow struct {
	Name    string
	Address string
	Role    string
	// State is the key of the texts for an account that cannot be used; "" if it can.
	State string
}

// roleChoice is an option of the form for a role.
type roleChoice struct {
	Role     store.Role
	Word     string
	About    string
	Selected bool
}

func (v view) roleChoices(selected store.Role) (all []roleChoice) {
	for _, role := range store.Roles() {
		all = append(all, roleChoice{role, v.T("role." + string(role)), v.T("role_about." + string(role)), role == selected})
	}
	return all
}

func memberAddress(name string) string {
	return staffMemberAddress + "?" + url.Values{"name": {name}}.Encode()
}

func accountState(m store.StaffMember) string {
	switch {
	case !m.DisabledAt.IsZero():
		return "staff.disabled"
	case !m.HasAccess():
		return "staff.invited"
	}
	return ""
}

func (s *site) staffList(w http.ResponseWriter, r *http.Request) error {
	return s.showStaff(w, r, http.StatusOK, staffPage{Roles: s.view(r).roleChoices(store.RoleSupport)})
}

func (s *site) showStaff(w http.ResponseWriter, r *http.Request, status int, body staffPage) error {
	members, err := s.Auth.Staff(r.Context())
	if err != nil {
		return err
	}
	v := s.view(r)
	for _, m := range members {
		body.Members = append(body.Members, staffRow{Name: m.Name, Address: memberAddress(m.Name), Role: v.T("role." + string(m.Role)), State: accountState(m)})
	}
	s.show(w, r, page{Status: status, Name: "staff", Path: staffAddress, Body: body})
	return nil
}

// staffInvitationPage shows the link of an invitation. It cannot be shown later, because the store
// contains only its hash.
type staffInvitationPage struct {
	Name    string
	Back    string
	Link    string
	Expires *when
}

func (s *site) inviteStaff(w http.ResponseWriter, r *http.Request) error {
	name, role := r.PostForm.Get("name"), store.Role(r.PostForm.Get("role"))
	i, err := s.Auth.InviteStaff(r.Context(), name, role)
	problem := ""
	switch {
	case err == nil:
		s.showStaffInvitation(w, r, name, i)
		return nil
	case errors.Is(err, store.ErrExists):
		problem = "staff.exists"
	case errors.Is(err, auth.ErrStaffName):
		problem = "staff.bad_name"
	case errors.Is(err, auth.ErrRole):
		problem = "staff.bad_role"
	default:
		return err
	}
	return s.showStaff(w, r, http.StatusUnprocessableEntity,
		staffPage{Roles: s.view(r).roleChoices(role), Name: clean(name, maxNameRunes), Problem: problem})
}

func (s *site) showStaffInvitation(w http.ResponseWriter, r *http.Request, name string, i auth.Invitation) {
	link := s.origin(r) + auth.InvitationPath + "?" + url.Values{auth.InvitationParam: {i.Token}}.Encode()
	s.show(w, r, page{Status: http.StatusCreated, Name: "staff_invitation", Path: memberAddress(name),
		Body: staffInvitationPage{Name: name, Back: memberAddress(name), Link: link, Expires: s.view(r).when(i.ExpiresAt)}})
}

// staffMemberPage is the content of the page about one member.
type staffMemberPage struct {
	Name string
	Role string
	// State is the key of the texts for an account that cannot be used; "" if it can.
	State    string
	Disabled bool
	Invited  bool
	Second   bool // has a second factor
	// Provider means that the member signs in with OpenID Connect, Assigned that the role comes from there.
	Provider, Assigned bool
	// Own means that the page is about the member who requested it.
	Own      bool
	Added    *when
	Roles    []roleChoice
	Sessions []loginRow
	Problem  string // key of the texts; "" for none
}

// assignsRoles reports whether the roles of members come from a provider.
func (s *site) assignsRoles() bool {
	p := s.Auth.Provider()
	return p != nil && p.AssignsRoles()
}

func (s *site) staffMember(w http.ResponseWriter, r *http.Request) error {
	return s.showStaffMember(w, r, http.StatusOK, r.URL.Query().Get("name"), "")
}

func (s *site) showStaffMember(w http.ResponseWriter, r *http.Request, status int, name, problem string) error {
	m, err := s.Auth.StaffMember(r.Context(), name)
	if err != nil {
		return err
	}
	sessions, err := s.Auth.Sessions(r.Context(), m.Name)
	if err != nil {
		return err
	}
	v := s.view(r)
	body := staffMemberPage{Name: m.Name, Role: v.T("role." + string(m.Role)), State: accountState(m), Disabled: !m.DisabledAt.IsZero(),
		Invited: !m.HasAccess(), Provider: m.Subject != "", Assigned: m.Subject != "" && s.assignsRoles(), Second: m.SealedSecret != "", Own: m.Name == auth.StaffName(r.Context()), Added: v.when(m.CreatedAt), Roles: v.roleChoices(m.Role),
		Sessions: v.loginRows(sessions, auth.CookieToken(r)), Problem: problem}
	s.show(w, r, page{Status: status, Name: "staff_member", Path: memberAddress(m.Name), Body: body})
	return nil
}

// changeStaff shows the page of the member in the form after a change, or the reason why there was none.
func (s *site) changeStaff(w http.ResponseWriter, r *http.Request, change func(by, name string) error) error {
	name := r.PostForm.Get("name")
	err := change(auth.StaffName(r.Context()), name)
	switch {
	case errors.Is(err, auth.ErrOwnAccount):
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.own")
	case errors.Is(err, store.ErrLastAdministrator):
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.last_administrator")
	case errors.Is(err, auth.ErrRole):
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.bad_role")
	case err != nil:
		return err
	}
	http.Redirect(w, r, memberAddress(name), http.StatusSeeOther)
	return nil
}

func (s *site) setStaffRole(w http.ResponseWriter, r *http.Request) error {
	return s.changeStaff(w, r, func(by, name string) error {
		return s.Auth.SetRole(r.Context(), by, name, store.Role(r.PostForm.Get("role")), s.Auth.Access())
	})
}

func (s *site) disableStaff(w http.ResponseWriter, r *http.Request) error {
	return s.changeStaff(w, r, func(by, name string) error {
		return s.Auth.Disable(r.Context(), by, name, s.Auth.Access())
	})
}

func (s *site) enableStaff(w http.ResponseWriter, r *http.Request) error {
	return s.changeStaff(w, r, func(_, name string) error { return s.Auth.Enable(r.Context(), name) })
}

// deleteStaff deletes a disabled account.
func (s *site) deleteStaff(w http.ResponseWriter, r *http.Request) error {
	name := r.PostForm.Get("name")
	err := s.Auth.Delete(r.Context(), auth.StaffName(r.Context()), name, s.Auth.Access())
	switch {
	case errors.Is(err, auth.ErrOwnAccount):
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.own")
	case errors.Is(err, store.ErrLastAdministrator):
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.last_administrator")
	case err != nil:
		return err
	}
	http.Redirect(w, r, staffAddress, http.StatusSeeOther)
	return nil
}

func (s *site) endStaffSession(w http.ResponseWriter, r *http.Request) error {
	hash, err := sessionInForm(r)
	if err != nil {
		return err
	}
	return s.changeStaff(w, r, func(_, name string) error { return s.Auth.EndSession(r.Context(), name, hash) })
}

// reinviteStaff shows a new invitation for somebody who has not accepted the first one.
func (s *site) reinviteStaff(w http.ResponseWriter, r *http.Request) error {
	name := r.PostForm.Get("name")
	m, err := s.Auth.StaffMember(r.Context(), name)
	if err != nil {
		return err
	}
	if m.HasAccess() {
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.has_password")
	}
	i, err := s.Auth.Reinvite(r.Context(), name)
	if err != nil {
		return err
	}
	s.showStaffInvitation(w, r, name, i)
	return nil
}

func (s *site) resetStaff(w http.ResponseWriter, r *http.Request) error {
	name := r.PostForm.Get("name")
	if name == auth.StaffName(r.Context()) {
		return s.showStaffMember(w, r, http.StatusUnprocessableEntity, name, "staff.own")
	}
	i, err := s.Auth.ResetStaff(r.Context(), name)
	if err != nil {
		return err
	}
	s.showStaffInvitation(w, r, name, i)
	return nil
}
