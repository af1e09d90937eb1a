package oidc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/server/store"
)

var (
	// ErrName means that the provider gives no name for the account.
	ErrName = errors.New("the sign-in service gives no name for the account")
	// ErrEmail means that the provider has not verified the e-mail address that is the name.
	ErrEmail = errors.New("the sign-in service has not verified the e-mail address")
	// ErrNoRole means that the provider knows the person, and assigns no role here. The Identity is
	// complete otherwise.
	ErrNoRole = errors.New("the sign-in service assigns no role to this person")
)

// Identity is a person as the provider describes them.
type Identity struct {
	// Subject identifies the person at this issuer, for ever.
	Subject string
	Name    string
	// Role is "" if the provider does not assign roles (AssignsRoles).
	Role store.Role
}

type claims map[string]any

// incomplete reports whether the user information is needed.
func (c Config) incomplete(all claims) bool {
	return all.at(c.NameClaim) == nil || c.NameClaim == emailClaim && all["email_verified"] == nil ||
		len(c.Roles) > 0 && all.at(c.RoleClaim) == nil
}

// identity returns the person whom claims describe. Its error is ErrName, ErrEmail or ErrNoRole.
func (c Config) identity(subject string, all claims) (Identity, error) {
	i := Identity{Subject: subject}
	if subject == "" {
		return i, fmt.Errorf("%w: no subject", ErrRefused)
	}
	i.Name, _ = all.at(c.NameClaim).(string)
	if i.Name = strings.TrimSpace(i.Name); i.Name == "" {
		return i, fmt.Errorf("%w: claim %q", ErrName, c.NameClaim)
	}
	if c.NameClaim == emailClaim {
		if verified := all["email_verified"]; verified != true && verified != "true" { // some write a text
			return i, ErrEmail
		}
		i.Name = strings.ToLower(i.Name)
	}
	if len(c.Roles) == 0 {
		return i, nil
	}
	values := texts(all.at(c.RoleClaim))
	for _, r := range c.Roles {
		if slices.Contains(values, r.Value) {
			i.Role = r.Role
			return i, nil
		}
	}
	return i, fmt.Errorf("%w: claim %q has %d values", ErrNoRole, c.RoleClaim, len(values))
}

// at returns a claim by its name, or by a path with dots; nil if there is none.
func (c claims) at(path string) any {
	if value, ok := c[path]; ok { // names may contain dots, as those that are addresses
		return value
	}
	first, rest, found := strings.Cut(path, ".")
	if !found {
		return nil
	}
	inner, _ := c[first].(map[string]any)
	return claims(inner).at(rest)
}

// texts returns the values of a claim that is a text or a list.
func texts(claim any) (all []string) {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		for _, one := range claim {
			if text, ok := one.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}
