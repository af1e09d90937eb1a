package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/server/auth/oidc"
)

// signInOptions are the settings of the sign-in with OpenID Connect.
func signInOptions() []option {
	text := func(to func(*oidc.Config) *string) func(*settings, string) error {
		return func(s *settings, v string) error { *to(&s.SignIn.Provider) = v; return nil }
	}
	return []option{
		{"oidc_issuer", "`URL` of an OpenID Connect provider with which staff sign in", false, text(func(c *oidc.Config) *string { return &c.Issuer })},
		{"oidc_client_id", "`id` of the collector at the provider", false, text(func(c *oidc.Config) *string { return &c.ClientID })},
		{"oidc_client_secret_file", "`file` with the secret of the collector at the provider", false, setOIDCSecret},
		{"oidc_roles", "`GROUP=ROLE` of the provider's groups that may sign in; may be repeated, the first that a person has counts (default: only people who were invited)", false, setOIDCRoles},
		{"oidc_role_claim", "`claim` with the groups of a person (default groups; Keycloak's roles: realm_access.roles)", false, text(func(c *oidc.Config) *string { return &c.RoleClaim })},
		{"oidc_name_claim", "`claim` with the name of a person's account (default email, which must be verified)", false, text(func(c *oidc.Config) *string { return &c.NameClaim })},
		{"oidc_scopes", "`scopes` to request in addition to openid, email and profile, comma-separated", false, setOIDCScopes},
		{"oidc_label", "`name` of the provider on the button (default: your work account)", false, text(func(c *oidc.Config) *string { return &c.Label })},
		{"oidc_only", "switch passwords off; 'user link' signs an administrator in nevertheless", true, setOIDCOnly},
	}
}

func setOIDCSecret(s *settings, v string) error {
	secret, err := readSecret(v)
	s.SignIn.Provider.ClientSecret = string(secret)
	return err
}

func setOIDCRoles(s *settings, v string) (err error) {
	s.SignIn.Provider.Roles, err = oidc.ParseRoles(v)
	return err
}

func setOIDCScopes(s *settings, v string) error {
	s.SignIn.Provider.Scopes = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
	return nil
}

func setOIDCOnly(s *settings, v string) (err error) {
	if s.SignIn.Only, err = strconv.ParseBool(v); err != nil {
		return errors.New("it must be true or false")
	}
	return nil
}
