package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// member adds a member of staff.
func member(t *testing.T, s store.Store, name string, role store.Role) {
	t.Helper()
	must(t, s.AddStaff(t.Context(), store.StaffMember{Name: name, Role: role, PasswordHash: "hash of " + name, CreatedAt: evening}))
}

func signedIn(t *testing.T, s store.Store, name, token string, at time.Time) store.Hash {
	t.Helper()
	h := store.HashOf(token)
	must(t, s.AddSession(t.Context(), store.Session{TokenHash: h, StaffName: name, Browser: "Firefox, Windows", Network: "192.0.2.0/24",
		CreatedAt: at, ExpiresAt: at.Add(time.Hour), PasswordHash: "hash of " + name}))
	return h
}

// lateLogin adds what a login adds that began with the password of member.
func lateLogin(t *testing.T, s store.Store, name, token string) map[string]error {
	t.Helper()
	h, verified, expires := store.HashOf(token), "hash of "+name, evening.Add(time.Hour)
	return map[string]error{
		"session":   s.AddSession(t.Context(), store.Session{TokenHash: h, StaffName: name, CreatedAt: evening, ExpiresAt: expires, PasswordHash: verified}),
		"browser":   s.AddDevice(t.Context(), store.Device{TokenHash: h, StaffName: name, CreatedAt: evening, ExpiresAt: expires, PasswordHash: verified}),
		"challenge": s.AddLoginChallenge(t.Context(), store.LoginChallenge{TokenHash: h, StaffName: name, CreatedAt: evening, ExpiresAt: expires, PasswordHash: verified}),
		"password":  s.ReplaceStaffPassword(t.Context(), name, verified, "hash of a stranger"),
	}
}

// lateLogins: a login that is not complete when the account is disabled or reset, or its password
// changes, does not outlive that.
func lateLogins(t *testing.T, s store.Store) {
	ctx := t.Context()
	for name, end := range map[string]func(name string) error{
		"disabled": func(name string) error { return s.DisableStaff(ctx, name, evening, nil) },
		"reset":    func(name string) error { return s.ResetStaff(ctx, name) },
		"changed":  func(name string) error { return s.SetStaffPassword(ctx, name, "another") },
		"replaced": func(name string) error { return s.ReplaceStaffPassword(ctx, name, "hash of "+name, "another") },
	} {
		member(t, s, name, store.RoleLead)
		must(t, end(name))
		for what, err := range lateLogin(t, s, name, name) {
			wantError(t, name+": late "+what, err, store.ErrNotFound)
		}
		must(t, s.EnableStaff(ctx, name))
		h := store.HashOf(name)
		_, err := s.Session(ctx, h)
		wantError(t, name+": session", err, store.ErrNotFound)
		_, err = s.Device(ctx, h)
		wantError(t, name+": browser", err, store.ErrNotFound)
		_, err = s.LoginChallenge(ctx, h, evening)
		wantError(t, name+": challenge", err, store.ErrNotFound)
		if m, err := s.StaffMember(ctx, name); err != nil || m.PasswordHash == "hash of a stranger" {
			t.Errorf("%s: got %+v, error %v; want the password kept", name, m, err)
		}
	}
	// At the same time.
	const logins = 8
	for round := range 10 {
		name := fmt.Sprint("round ", round)
		member(t, s, name, store.RoleLead)
		errs := make([]error, 2*logins)
		var wg sync.WaitGroup
		for i := range logins {
			h := store.HashOf(fmt.Sprint(name, i))
			wg.Go(func() {
				errs[2*i] = s.AddSession(ctx, store.Session{TokenHash: h, StaffName: name, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour), PasswordHash: "hash of " + name})
			})
			wg.Go(func() {
				errs[2*i+1] = s.AddDevice(ctx, store.Device{TokenHash: h, StaffName: name, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour), PasswordHash: "hash of " + name})
			})
		}
		var reset error
		wg.Go(func() { reset = s.ResetStaff(ctx, name) })
		wg.Wait()
		must(t, reset)
		for _, err := range errs {
			if err != nil {
				wantError(t, "login during a reset", err, store.ErrNotFound)
			}
		}
		if list, err := s.StaffSessions(ctx, name, evening); err != nil || len(list) > 0 {
			t.Fatalf("got %d sessions after a reset, error %v; want none", len(list), err)
		}
		for i := range logins {
			_, err := s.Device(ctx, store.HashOf(fmt.Sprint(name, i)))
			wantError(t, "known browser after a reset", err, store.ErrNotFound)
		}
	}
}

func staffAccounts(t *testing.T, s store.Store) {
	ctx := t.Context()
	member(t, s, "berta", store.RoleSupport)
	wantError(t, "same name", s.AddStaff(ctx, store.StaffMember{Name: "berta", Role: store.RoleLead}), store.ErrExists)
	if err := s.AddStaff(ctx, store.StaffMember{Name: "king", Role: "king"}); err == nil {
		t.Error("a role that does not exist was stored")
	}
	for _, role := range store.Roles() {
		must(t, s.SetStaffRole(ctx, "berta", role, nil))
		if m, err := s.StaffMember(ctx, "berta"); err != nil || m.Role != role || m.PasswordHash != "hash of berta" || !m.CreatedAt.Equal(evening) || !m.DisabledAt.IsZero() {
			t.Errorf("got %+v, error %v; want Role %s", m, err, role)
		}
	}
	session := signedIn(t, s, "berta", "berta's", evening)
	if n, err := s.Session(ctx, session); err != nil || n.Role != store.RoleAuditor {
		t.Errorf("got session %+v, error %v; want the present role %s", n, err, store.RoleAuditor)
	}
	must(t, s.AddOneTimeLogin(ctx, store.OneTimeLogin{TokenHash: session, StaffName: "berta", ExpiresAt: evening.Add(time.Hour)}))

	must(t, s.DisableStaff(ctx, "berta", evening, nil))
	if m, err := s.StaffMember(ctx, "berta"); err != nil || !m.DisabledAt.Equal(evening) || m.PasswordHash == "" {
		t.Errorf("got %+v, error %v; want DisabledAt %v and the password", m, err, evening)
	}
	_, err := s.Session(ctx, session)
	wantError(t, "session of a disabled account", err, store.ErrNotFound)
	_, err = s.UseOneTimeLogin(ctx, session, evening)
	wantError(t, "link of a disabled account", err, store.ErrNotFound)
	must(t, s.EnableStaff(ctx, "berta"))
	if m, err := s.StaffMember(ctx, "berta"); err != nil || !m.DisabledAt.IsZero() {
		t.Errorf("got %+v, error %v; want DisabledAt zero", m, err)
	}

	late := signedIn(t, s, "berta", "after it was enabled", evening)
	device := store.HashOf("browser")
	must(t, s.AddDevice(ctx, store.Device{TokenHash: device, StaffName: "berta", ExpiresAt: evening.Add(time.Hour), PasswordHash: "hash of berta"}))
	must(t, s.ResetStaff(ctx, "berta"))
	if m, err := s.StaffMember(ctx, "berta"); err != nil || m.PasswordHash != "" {
		t.Errorf("after a reset: got %+v, error %v; want no password", m, err)
	}
	_, err = s.Device(ctx, device)
	wantError(t, "known browser after a reset", err, store.ErrNotFound)
	_, err = s.Session(ctx, late)
	wantError(t, "session after a reset", err, store.ErrNotFound)

	wantError(t, "delete an active account", s.DeleteStaff(ctx, "berta", nil), store.ErrNotFound)
	must(t, s.SetStaffPassword(ctx, "berta", "hash of berta"))
	must(t, s.AddDevice(ctx, store.Device{TokenHash: device, StaffName: "berta", ExpiresAt: evening.Add(time.Hour), PasswordHash: "hash of berta"}))
	must(t, s.SetNextSecret(ctx, "berta", "sealed"))
	must(t, s.ConfirmSecret(ctx, "berta", "sealed", []store.Hash{store.HashOf("recovery")}, evening, evening.Add(time.Hour)))
	must(t, s.AddUsedCode(ctx, store.UsedCode{Hash: store.HashOf("used"), StaffName: "berta", ExpiresAt: evening.Add(time.Hour)}))
	must(t, s.DisableStaff(ctx, "berta", evening, nil))
	must(t, s.DeleteStaff(ctx, "berta", nil))
	_, err = s.StaffMember(ctx, "berta")
	wantError(t, "a deleted account", err, store.ErrNotFound)
	_, err = s.Device(ctx, device)
	wantError(t, "known browser of a deleted account", err, store.ErrNotFound)
	must(t, s.AddStaff(ctx, store.StaffMember{Name: "berta", Role: store.RoleSupport, CreatedAt: evening}))
	if n, err := s.CountRecoveryCodes(ctx, "berta"); err != nil || n != 0 {
		t.Errorf("a new account of the same name: got %d recovery codes, error %v; want 0", n, err)
	}

	for what, err := range map[string]error{
		"delete": s.DeleteStaff(ctx, "nobody", nil), "role": s.SetStaffRole(ctx, "nobody", store.RoleLead, nil), "disable": s.DisableStaff(ctx, "nobody", evening, nil),
		"enable": s.EnableStaff(ctx, "nobody"), "reset": s.ResetStaff(ctx, "nobody"), "password": s.SetStaffPassword(ctx, "nobody", "x"),
	} {
		wantError(t, what+" of nobody", err, store.ErrNotFound)
	}
}

// lastAdministrator: no change leaves nobody who can manage the accounts, except by request.
func lastAdministrator(t *testing.T, s store.Store) {
	ctx := t.Context()
	member(t, s, "anna", store.RoleAdministrator)
	member(t, s, "off", store.RoleAdministrator)
	must(t, s.DisableStaff(ctx, "off", evening, store.StaffMember.HasAccess))
	must(t, s.AddStaff(ctx, store.StaffMember{Name: "invited", Role: store.RoleAdministrator, CreatedAt: evening}))
	member(t, s, "lead", store.RoleLead)
	for what, err := range map[string]error{
		"disable": s.DisableStaff(ctx, "anna", evening, store.StaffMember.HasAccess), "role": s.SetStaffRole(ctx, "anna", store.RoleAuditor, store.StaffMember.HasAccess),
	} {
		wantError(t, what+" of the last administrator", err, store.ErrLastAdministrator)
	}
	must(t, s.SetStaffRole(ctx, "anna", store.RoleAdministrator, store.StaffMember.HasAccess)) // no change
	must(t, s.SetStaffRole(ctx, "lead", store.RoleSupport, store.StaffMember.HasAccess))
	must(t, s.DisableStaff(ctx, "lead", evening, store.StaffMember.HasAccess))
	// An account counts only if the settings allow it to sign in.
	member(t, s, "password", store.RoleAdministrator)
	for _, name := range []string{"anna", "password"} {
		err := s.DisableStaff(ctx, name, evening, func(m store.StaffMember) bool { return m.Name == "anna" })
		if name == "anna" {
			wantError(t, "disable of the last one who can sign in", err, store.ErrLastAdministrator)
		} else {
			must(t, err)
		}
	}
	must(t, s.DisableStaff(ctx, "anna", evening, nil))
	wantError(t, "delete of the last administrator", s.DeleteStaff(ctx, "anna", store.StaffMember.HasAccess), store.ErrLastAdministrator)
	must(t, s.EnableStaff(ctx, "anna"))

	// Two who remove each other at the same time: one stays.
	for round := range 10 {
		one, other := fmt.Sprint("one ", round), fmt.Sprint("other ", round)
		member(t, s, one, store.RoleAdministrator)
		member(t, s, other, store.RoleAdministrator)
		if round == 0 {
			must(t, s.DisableStaff(ctx, "anna", evening, store.StaffMember.HasAccess))
		}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() { errs[0] = s.DisableStaff(ctx, one, evening, store.StaffMember.HasAccess) })
		wg.Go(func() { errs[1] = s.SetStaffRole(ctx, other, store.RoleLead, store.StaffMember.HasAccess) })
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("got errors %v; want exactly one", errs)
		}
		wantError(t, "at the same time", errors.Join(errs...), store.ErrLastAdministrator)
		must(t, s.DisableStaff(ctx, one, evening, nil))
		must(t, s.DisableStaff(ctx, other, evening, nil))
	}
}

func staffSessions(t *testing.T, s store.Store) {
	ctx := t.Context()
	member(t, s, "berta", store.RoleSupport)
	member(t, s, "clara", store.RoleSupport)
	old := signedIn(t, s, "berta", "old", evening.Add(-2*time.Hour))
	first := signedIn(t, s, "berta", "first", evening)
	second := signedIn(t, s, "berta", "second", evening.Add(time.Minute))
	third := signedIn(t, s, "berta", "third", evening.Add(2*time.Minute))
	theirs := signedIn(t, s, "clara", "theirs", evening)
	list := func(name string, want ...store.Hash) {
		t.Helper()
		got, err := s.StaffSessions(ctx, name, evening)
		must(t, err)
		if len(got) != len(want) {
			t.Fatalf("%s: got %d sessions, want %d", name, len(got), len(want))
		}
		for i, n := range got {
			if n.TokenHash != want[i] || n.StaffName != name || n.Browser != "Firefox, Windows" || n.Network != "192.0.2.0/24" {
				t.Errorf("%s: got %+v at %d, want %s at a known browser and network", name, n, i, name)
			}
		}
	}
	list("berta", third, second, first)
	wantError(t, "end another member's session", s.EndStaffSession(ctx, "berta", theirs), store.ErrNotFound)
	must(t, s.EndStaffSession(ctx, "berta", second))
	wantError(t, "end it again", s.EndStaffSession(ctx, "berta", second), store.ErrNotFound)
	list("berta", third, first)
	must(t, s.EndStaffSessions(ctx, "berta", first))
	list("berta", first)
	must(t, s.EndStaffSessions(ctx, "berta", store.Hash{}))
	list("berta")
	list("clara", theirs)
	if _, err := s.Session(ctx, old); err == nil {
		t.Error("the expired session was not ended")
	}
}

func staffInvitations(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.AddStaff(ctx, store.StaffMember{Name: "berta", Role: store.RoleLead, CreatedAt: evening}))
	invite := func(token string) store.Hash {
		t.Helper()
		h := store.HashOf(token)
		must(t, s.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: h, StaffName: "berta", CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		return h
	}
	wantError(t, "invite nobody", s.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: store.HashOf("x"), StaffName: "nobody"}), store.ErrNotFound)
	replaced, present := invite("first"), invite("second")
	for h, at := range map[store.Hash]time.Time{replaced: evening, present: evening.Add(time.Hour), store.HashOf("unknown"): evening} {
		_, err := s.StaffInvitation(ctx, h, at)
		wantError(t, "read an invitation that is not valid", err, store.ErrNotFound)
		_, err = s.AcceptStaffInvitation(ctx, h, "hash", at)
		wantError(t, "accept an invitation that is not valid", err, store.ErrNotFound)
	}
	if m, err := s.StaffInvitation(ctx, present, evening); err != nil || m.Name != "berta" || m.Role != store.RoleLead || m.PasswordHash != "" {
		t.Errorf("got %+v, error %v; want berta, lead, without a password", m, err)
	}
	// Of many at the same time, one succeeds.
	errs := make([]error, 10)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.AcceptStaffInvitation(ctx, present, "hash", evening) })
	}
	wg.Wait()
	accepted := 0
	for _, err := range errs {
		if err == nil {
			accepted++
		} else {
			wantError(t, "second use", err, store.ErrNotFound)
		}
	}
	if m, err := s.StaffMember(ctx, "berta"); err != nil || accepted != 1 || m.PasswordHash != "hash" {
		t.Errorf("got %d accepted, %+v, error %v; want 1 and the password", accepted, m, err)
	}
	disabled := invite("third")
	must(t, s.DisableStaff(ctx, "berta", evening, nil))
	_, err := s.StaffInvitation(ctx, disabled, evening)
	wantError(t, "invitation of a disabled account", err, store.ErrNotFound)
	wantError(t, "invite a disabled account", s.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: store.HashOf("y"), StaffName: "berta"}), store.ErrNotFound)
}

func secondFactors(t *testing.T, s store.Store) {
	ctx := t.Context()
	member(t, s, "berta", store.RoleSupport)
	member(t, s, "clara", store.RoleSupport)
	code := store.HashOf("recovery")
	confirm := func(sealed string) error {
		return s.ConfirmSecret(ctx, "berta", sealed, []store.Hash{code, store.HashOf("second")}, evening, evening.Add(time.Hour))
	}
	wantError(t, "confirm nothing", confirm(""), store.ErrNotFound)
	must(t, s.SetNextSecret(ctx, "berta", "first"))
	must(t, s.SetNextSecret(ctx, "berta", "sealed"))
	wantError(t, "confirm a replaced one", confirm("first"), store.ErrNotFound)
	must(t, confirm("sealed"))
	wantError(t, "confirm it again", confirm("sealed"), store.ErrNotFound)
	if m, err := s.StaffMember(ctx, "berta"); err != nil || m.SealedSecret != "sealed" || m.SealedNextSecret != "" {
		t.Errorf("got %+v, error %v; want the secret confirmed", m, err)
	}
	wantError(t, "another member's code", s.UseRecoveryCode(ctx, "clara", code), store.ErrNotFound)
	must(t, s.UseRecoveryCode(ctx, "berta", code))
	wantError(t, "a used one", s.UseRecoveryCode(ctx, "berta", code), store.ErrNotFound)
	if n, err := s.CountRecoveryCodes(ctx, "berta"); err != nil || n != 1 {
		t.Errorf("got %d codes, error %v; want 1", n, err)
	}

	used := store.UsedCode{Hash: store.HashOf("step"), StaffName: "berta", UsedAt: evening, ExpiresAt: evening.Add(time.Hour)}
	must(t, s.AddUsedCode(ctx, used))
	wantError(t, "a replayed code", s.AddUsedCode(ctx, used), store.ErrExists)

	wait := store.HashOf("waits")
	must(t, s.AddLoginChallenge(ctx, store.LoginChallenge{TokenHash: wait, StaffName: "berta", CreatedAt: evening, ExpiresAt: evening.Add(time.Minute), PasswordHash: "hash of berta"}))
	if c, err := s.LoginChallenge(ctx, wait, evening); err != nil || c.StaffName != "berta" || !c.ExpiresAt.Equal(evening.Add(time.Minute)) {
		t.Errorf("got %+v, error %v; want berta's", c, err)
	}
	_, err := s.LoginChallenge(ctx, wait, evening.Add(time.Minute))
	wantError(t, "an expired challenge", err, store.ErrNotFound)
	must(t, s.UseLoginChallenge(ctx, wait))
	wantError(t, "a used challenge", s.UseLoginChallenge(ctx, wait), store.ErrNotFound)

	must(t, s.AddLoginChallenge(ctx, store.LoginChallenge{TokenHash: wait, StaffName: "berta", CreatedAt: evening, ExpiresAt: evening.Add(time.Minute), PasswordHash: "hash of berta"}))
	must(t, s.DisableStaff(ctx, "berta", evening, nil))
	_, err = s.LoginChallenge(ctx, wait, evening)
	wantError(t, "the challenge of a disabled account", err, store.ErrNotFound)
	must(t, s.EnableStaff(ctx, "berta"))
	must(t, s.RemoveSecret(ctx, "berta"))
	if m, err := s.StaffMember(ctx, "berta"); err != nil || m.SealedSecret != "" || m.PasswordHash == "" {
		t.Errorf("after it was removed: got %+v, error %v; want the password and no second factor", m, err)
	}
	if n, err := s.CountRecoveryCodes(ctx, "berta"); err != nil || n != 0 {
		t.Errorf("got %d codes, error %v; want 0", n, err)
	}
	must(t, s.SetNextSecret(ctx, "berta", "again"))
	must(t, confirm("again"))
	must(t, s.ResetStaff(ctx, "berta"))
	if m, err := s.StaffMember(ctx, "berta"); err != nil || m.SealedSecret != "" {
		t.Errorf("after a reset: got %+v, error %v; want no second factor", m, err)
	}
	_, err = s.DeleteExpired(ctx, evening.Add(2*time.Hour))
	must(t, err)
	must(t, s.AddUsedCode(ctx, used)) // forgotten
	for what, err := range map[string]error{"set up": s.SetNextSecret(ctx, "nobody", "x"), "remove": s.RemoveSecret(ctx, "nobody")} {
		wantError(t, what+" for nobody", err, store.ErrNotFound)
	}
}

// staffOfProvider: an account at a provider belongs to one member, and only an invited one gets it.
func staffOfProvider(t *testing.T, s store.Store) {
	ctx := t.Context()
	const issuer = "https://login.example"
	_, err := s.StaffBySubject(ctx, issuer, "1")
	wantError(t, "unknown subject", err, store.ErrNotFound)
	_, err = s.StaffBySubject(ctx, "", "")
	wantError(t, "no subject", err, store.ErrNotFound)
	member(t, s, "with a password", store.RoleLead)
	must(t, s.AddStaff(ctx, store.StaffMember{Name: "disabled", Role: store.RoleLead, CreatedAt: evening}))
	must(t, s.DisableStaff(ctx, "disabled", evening, nil))
	must(t, s.AddStaff(ctx, store.StaffMember{Name: "berta", Role: store.RoleLead, CreatedAt: evening}))
	must(t, s.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: store.HashOf("invited"), StaffName: "berta", CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	for _, name := range []string{"with a password", "disabled", "nobody"} {
		_, err := s.BindStaff(ctx, name, issuer, "1")
		wantError(t, name, err, store.ErrNotFound)
	}
	m, err := s.BindStaff(ctx, "berta", issuer, "1")
	must(t, err)
	if m.Name != "berta" || m.Issuer != issuer || m.Subject != "1" || !m.HasAccess() {
		t.Errorf("got %+v, want berta with access as subject 1 of %s", m, issuer)
	}
	_, err = s.StaffInvitation(ctx, store.HashOf("invited"), evening)
	wantError(t, "invitation of before", err, store.ErrNotFound)
	_, err = s.BindStaff(ctx, "berta", issuer, "2")
	wantError(t, "second subject", err, store.ErrNotFound)
	got, err := s.StaffBySubject(ctx, issuer, "1")
	must(t, err)
	if got != m {
		t.Errorf("got %+v, want %+v", got, m)
	}
	_, err = s.StaffBySubject(ctx, "https://other.example", "1")
	wantError(t, "subject of another issuer", err, store.ErrNotFound)
	wantError(t, "the same subject again", s.AddStaff(ctx, store.StaffMember{Name: "another", Role: store.RoleLead, CreatedAt: evening, Issuer: issuer, Subject: "1"}), store.ErrExists)
	must(t, s.AddStaff(ctx, store.StaffMember{Name: "clara", Role: store.RoleLead, CreatedAt: evening, Issuer: issuer, Subject: "3"}))

	session := store.Session{TokenHash: store.HashOf("s"), StaffName: "berta", CreatedAt: evening, ExpiresAt: evening.Add(time.Hour), Subject: "1"}
	must(t, s.AddSession(ctx, session))
	must(t, s.ResetStaff(ctx, "berta"))
	_, err = s.StaffBySubject(ctx, issuer, "1")
	wantError(t, "subject after a reset", err, store.ErrNotFound)
	wantError(t, "login that began before the reset", s.AddSession(ctx, session), store.ErrNotFound)
}
