package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func userFlags(in *invocation) {
	in.flags.BoolVar(&in.passwordIn, "password-stdin", false, "read the password from standard input instead of generating one")
	jsonFlag(in)
}

func userAddFlags(in *invocation) {
	roleFlag(in)
	userFlags(in)
}

func forceFlag(in *invocation) {
	in.flags.BoolVar(&in.force, "force", false, "do it even if no other administrator can sign in")
}

func userInviteFlags(in *invocation) {
	roleFlag(in)
	userResetFlags(in)
}

func userResetFlags(in *invocation) {
	in.setting("public_url")
	jsonFlag(in)
}

func roleFlag(in *invocation) {
	in.flags.StringVar(&in.role, "role", "", "`role` of a new user: support (default), lead, administrator or auditor")
}

func (in *invocation) newRole() store.Role {
	if in.role == "" {
		return store.RoleSupport
	}
	return store.Role(in.role)
}

func authOf(s *sqlstore.Store) *auth.Auth {
	return auth.New(auth.Config{Store: s, Now: time.Now, Random: rand.Reader, Cost: auth.DefaultCost})
}

func userAdd(ctx context.Context, t terminal, in *invocation) error {
	return in.withStore(ctx, t, func(s *sqlstore.Store) error {
		a := authOf(s)
		return in.withPassword(t, a, func(password string) error {
			err := a.AddStaff(ctx, in.args[0], in.newRole(), password)
			if errors.Is(err, store.ErrExists) {
				return usagef("there is already a user %q: 'tonprobe-collector user passwd' gives a new password", in.args[0])
			}
			if err != nil {
				return err
			}
			return record(ctx, s, store.AuditStaffAdded, "", in.args[0])
		})
	})
}

func userPasswd(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		a := authOf(s)
		return in.withPassword(t, a, func(password string) error {
			if err := a.SetPassword(ctx, in.args[0], password); err != nil {
				return in.ofUser(err)
			}
			return record(ctx, s, store.AuditPassword, "", in.args[0])
		})
	})
}

// withPassword calls use with the password from standard input, or with a generated one that
// is printed afterwards.
func (in *invocation) withPassword(t terminal, a *auth.Auth, use func(string) error) error {
	password, err := a.NewPassword()
	if in.passwordIn {
		password, err = readPassword(t.in)
	}
	if err != nil {
		return err
	}
	if err := use(password); err != nil {
		return err
	}
	shown := password
	if in.passwordIn {
		shown = ""
	}
	if in.json {
		return printJSON(t.out, struct {
			User     string `json:"user"`
			Password string `json:"password,omitempty"`
		}{in.args[0], shown})
	}
	if shown != "" {
		_, err = fmt.Fprintf(t.out, "User:                     %s\nPassword, shown only now: %s\n", in.args[0], shown)
	}
	return err
}

func readPassword(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, auth.MaxPasswordBytes+3)) // with a line end, and one more to detect an excess
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// ofUser explains an error about the user of the command line.
func (in *invocation) ofUser(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return usagef("there is no user %.80q: 'tonprobe-collector user list' shows them", in.args[0])
	}
	if errors.Is(err, store.ErrLastAdministrator) {
		return usagef("no administrator but %.80q could sign in: 'tonprobe-collector user role NAME administrator' gives somebody else the role; --force does it anyway", in.args[0])
	}
	return err
}

func userList(ctx context.Context, t terminal, in *invocation) error {
	type user struct {
		User      string     `json:"user"`
		Role      store.Role `json:"role"`
		State     string     `json:"state"`
		Second    bool       `json:"second_factor"`
		Provider  bool       `json:"openid_connect"`
		CreatedAt time.Time  `json:"created_at"`
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		members, err := s.StaffMembers(ctx)
		if err != nil {
			return err
		}
		list := []user{}
		for _, m := range members {
			list = append(list, user{m.Name, m.Role, accountState(m), m.SealedSecret != "", m.Subject != "", m.CreatedAt})
		}
		if in.json {
			return printJSON(t.out, list)
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		for _, u := range list {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", u.User, u.Role, u.State); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

// accountState returns "active", "invited" or "disabled".
func accountState(m store.StaffMember) string {
	switch {
	case !m.DisabledAt.IsZero():
		return "disabled"
	case !m.HasAccess():
		return "invited"
	}
	return "active"
}
