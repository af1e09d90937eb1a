package server

import (
	"fmt"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/auth/oidc"
)

// SignIn configures the sign-in of staff with OpenID Connect.
type SignIn struct {
	// Provider has no issuer if there is none. Its RedirectURL, Now and Random are set by New.
	Provider oidc.Config
	// Only switches passwords off.
	Only bool
}

// used reports whether any part is set.
func (s SignIn) used() bool {
	p := s.Provider
	return s.Only || p.Issuer != "" || p.ClientID != "" || p.ClientSecret != "" || p.NameClaim != "" || p.RoleClaim != "" || p.Label != "" ||
		len(p.Scopes) > 0 || len(p.Roles) > 0
}

func (c Config) validateSignIn() error {
	if !c.SignIn.used() {
		return nil
	}
	if err := c.SignIn.Provider.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.PublicURL == "" {
		return fmt.Errorf("%w: OpenID Connect needs the public address of the collector, to which people come back from the provider", ErrConfig)
	}
	return nil
}

// provider returns the provider of the configuration; nil if there is none.
func (c Config) provider() *oidc.Provider {
	if !c.SignIn.used() {
		return nil
	}
	p := c.SignIn.Provider
	p.RedirectURL = c.publicOrigin() + auth.ProviderAnswerPath
	p.Now, p.Random = c.Now, c.Rand
	return oidc.New(p)
}
