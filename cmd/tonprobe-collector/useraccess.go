package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// userInvite adds a user without a password, or gives one who has not chosen a password yet
// another link.
func userInvite(ctx context.Context, t terminal, in *invocation) error {
	return in.withStore(ctx, t, func(s *sqlstore.Store) error {
		a, name := authOf(s), in.args[0]
		m, err := s.StaffMember(ctx, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			i, err := a.InviteStaff(ctx, name, in.newRole())
			if err != nil {
				return err
			}
			return in.printStaffInvitation(ctx, t, s, store.AuditStaffInvited, i)
		case err != nil:
			return err
		case in.role != "" && store.Role(in.role) != m.Role:
			return usagef("user %q has the role %s: 'tonprobe-collector user role' changes it", name, m.Role)
		case accountState(m) == "disabled":
			return usagef("the account of %q is disabled: 'tonprobe-collector user enable' enables it", name)
		case accountState(m) == "active":
			return usagef("user %q has a password: 'tonprobe-collector user reset' removes it and prints an invitation", name)
		}
		i, err := a.Reinvite(ctx, name)
		if err != nil {
			return err
		}
		return in.printStaffInvitation(ctx, t, s, store.AuditStaffInvited, i)
	})
}

// withAccount calls f for the user named by the first argument, whose account must not be disabled.
func (in *invocation) withAccount(ctx context.Context, t terminal, f func(*sqlstore.Store, store.StaffMember) error) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		m, err := s.StaffMember(ctx, in.args[0])
		if err != nil {
			return in.ofUser(err)
		}
		if accountState(m) == "disabled" {
			return usagef("the account of %q is disabled: 'tonprobe-collector user enable' enables it", m.Name)
		}
		return f(s, m)
	})
}

func userReset(ctx context.Context, t terminal, in *invocation) error {
	return in.withAccount(ctx, t, func(s *sqlstore.Store, m store.StaffMember) error {
		i, err := authOf(s).ResetStaff(ctx, m.Name)
		if err != nil {
			return in.ofUser(err)
		}
		return in.printStaffInvitation(ctx, t, s, store.AuditStaffReset, i)
	})
}

// printStaffInvitation records the invitation and prints it.
func (in *invocation) printStaffInvitation(ctx context.Context, t terminal, s *sqlstore.Store, kind store.AuditKind, i auth.Invitation) error {
	if err := record(ctx, s, kind, "", in.args[0]); err != nil {
		return err
	}
	return in.printStaffLink(t, auth.InvitationPath+"?"+url.Values{auth.InvitationParam: {i.Token}}.Encode(), i.ExpiresAt)
}

// printStaffLink prints an address of the dashboard that is a secret.
func (in *invocation) printStaffLink(t terminal, path string, expires time.Time) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	link := addressOf(c.DataDir).URL + path // before the first start, only the path is known
	if c.PublicURL != "" {
		link = c.PublicURL + path
	}
	if in.json {
		return printJSON(t.out, struct {
			User      string    `json:"user"`
			Link      string    `json:"link"`
			ExpiresAt time.Time `json:"expires_at"`
		}{in.args[0], link, expires})
	}
	_, err = fmt.Fprintf(t.out, "User:                 %s\nLink, shown only now: %s\nValid until:          %s (%s)\n",
		in.args[0], link, expires.In(c.TimeZone).Format("2 January 2006, 15:04"), c.TimeZone)
	return err
}

// userLink prints a link that signs a user in once. It works even if passwords are disabled and
// the provider of OpenID Connect is unreachable.
func userLink(ctx context.Context, t terminal, in *invocation) error {
	return in.withAccount(ctx, t, func(s *sqlstore.Store, m store.StaffMember) error {
		token, err := authOf(s).NewOneTimeLogin(ctx, m.Name)
		if err != nil {
			return err
		}
		if err := record(ctx, s, store.AuditStaffLink, "", m.Name); err != nil {
			return err
		}
		return in.printStaffLink(t, auth.OneTimeLoginPath+"?"+url.Values{auth.OneTimeLoginParam: {token}}.Encode(), time.Now().Add(auth.OneTimeLoginTTL))
	})
}

// keep returns who counts as an administrator who can sign in, or nil with --force: then the user is
// disabled, deleted or given another role even if nobody can manage the accounts afterwards. Without settings
// about a provider, those of serve may be elsewhere, so accounts at a provider count as well.
func (in *invocation) keep(t terminal) (store.CanSignIn, error) {
	if in.force {
		return nil, nil
	}
	c, err := in.settings(t)
	if err != nil {
		return nil, err
	}
	if c.SignIn.Provider.Issuer == "" {
		return store.StaffMember.HasAccess, nil
	}
	return auth.Access(c.SignIn.Provider.Issuer, c.SignIn.Only), nil
}

func userRole(ctx context.Context, t terminal, in *invocation) error {
	keep, err := in.keep(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		if err := authOf(s).SetRole(ctx, "", in.args[0], store.Role(in.args[1]), keep); err != nil {
			return in.ofUser(err)
		}
		return record(ctx, s, store.AuditStaffRole, "", store.RoleChange(in.args[0], store.Role(in.args[1])))
	})
}

func userDisable(ctx context.Context, t terminal, in *invocation) error {
	keep, err := in.keep(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		if err := authOf(s).Disable(ctx, "", in.args[0], keep); err != nil {
			return in.ofUser(err)
		}
		return record(ctx, s, store.AuditStaffDisabled, "", in.args[0])
	})
}

func userEnable(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		if err := authOf(s).Enable(ctx, in.args[0]); err != nil {
			return in.ofUser(err)
		}
		return record(ctx, s, store.AuditStaffEnabled, "", in.args[0])
	})
}

func userDelete(ctx context.Context, t terminal, in *invocation) error {
	keep, err := in.keep(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		m, err := s.StaffMember(ctx, in.args[0])
		if err != nil {
			return in.ofUser(err)
		}
		if m.DisabledAt.IsZero() {
			return usagef("the account of %q is not disabled: 'tonprobe-collector user disable' disables it", m.Name)
		}
		if err := authOf(s).Delete(ctx, "", m.Name, keep); err != nil {
			return in.ofUser(err)
		}
		return record(ctx, s, store.AuditStaffDeleted, "", m.Name)
	})
}
