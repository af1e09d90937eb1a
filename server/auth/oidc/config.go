package oidc

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/server/store"
)

// The claims of a Config that names none.
const (
	DefaultNameClaim = emailClaim
	DefaultRoleClaim = "groups"
)

const emailClaim = "email"

// Config describes a provider. Issuer, ClientID and RedirectURL are required.
type Config struct {
	Issuer   string
	ClientID string
	// ClientSecret is "" for a public client.
	ClientSecret string
	// RedirectURL is the address of the collector to which the provider sends the browser back.
	RedirectURL string
	// Scopes are requested in addition to openid, email and profile.
	Scopes []string
	// NameClaim is the claim with the name of the account. An e-mail address must be verified.
	NameClaim string
	// RoleClaim is the claim with a text or a list of texts that Roles maps. Dots lead into objects,
	// as in realm_access.roles.
	RoleClaim string
	// Roles maps values of RoleClaim; the first that a person has counts. Without any, those may
	// sign in who were invited by their name.
	Roles []RoleOf
	// Label is the name of the provider for people.
	Label string

	Transport http.RoundTripper // default http.DefaultTransport
	Now       func() time.Time  // default time.Now
	Random    io.Reader         // default crypto/rand
}

// RoleOf maps a value of the role claim.
type RoleOf struct {
	Value string
	Role  store.Role
}

// ParseRole reads a text such as "tonprobe-support=support".
func ParseRole(text string) (RoleOf, error) {
	i := strings.LastIndexByte(text, '=') // the name of a group may contain one, as in LDAP
	if i < 1 {
		return RoleOf{}, fmt.Errorf("%.80q assigns no role: write it like tonprobe-desk=support", text)
	}
	r := RoleOf{Value: strings.TrimSpace(text[:i]), Role: store.Role(strings.TrimSpace(text[i+1:]))}
	if !store.IsRole(string(r.Role)) {
		return RoleOf{}, fmt.Errorf("%.80q assigns no role: the roles are support, lead, administrator and auditor", text)
	}
	return r, nil
}

// ParseRoles reads a list such as "tonprobe-lead=lead,CN=Desk,OU=Groups,DC=town=support". A group whose
// name begins like a distinguished name contains commas: it ends at the part with a second "=".
func ParseRoles(list string) (all []RoleOf, err error) {
	var name string // the parts of a distinguished name so far
	for part := range strings.SplitSeq(list, ",") {
		text := name + part
		if beginsDistinguishedName(text) && strings.Count(part, "=") < 2 {
			name = text + ","
			continue
		}
		r, err := ParseRole(text)
		if err != nil {
			return nil, err
		}
		all, name = append(all, r), ""
	}
	if name != "" {
		return nil, fmt.Errorf("%.80q assigns no role: write the role behind the whole name, like CN=Desk,DC=town=support", strings.TrimSuffix(name, ","))
	}
	return all, nil
}

func beginsDistinguishedName(text string) bool {
	attribute, _, found := strings.Cut(text, "=")
	return found && slices.Contains([]string{"cn", "ou", "uid"}, strings.ToLower(strings.TrimSpace(attribute)))
}

// Validate returns what is wrong with c. RedirectURL is not checked.
func (c Config) Validate() error {
	if c.Issuer == "" {
		return errors.New("the issuer of OpenID Connect is missing")
	}
	u, err := origin.ParseSecure(c.Issuer)
	if err != nil {
		return fmt.Errorf("the issuer of OpenID Connect: %w", err)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil || !strings.Contains(c.Issuer, "://") {
		return errors.New("the issuer of OpenID Connect must be an address like https://login.example.org/realms/town")
	}
	if c.ClientID == "" {
		return errors.New("the client id for OpenID Connect is missing")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.NameClaim == "" {
		c.NameClaim = DefaultNameClaim
	}
	if c.RoleClaim == "" {
		c.RoleClaim = DefaultRoleClaim
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	c.Scopes = append([]string{"email", "profile"}, c.Scopes...)
	return c
}
