package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// defaultTokenDays is how long a token is valid unless it is given.
const defaultTokenDays = 90

func tokenAddFlags(in *invocation) {
	in.flags.StringVar(&in.scopes, "scope", "", "what it may read, `scopes` with commas between: "+scopeNames(store.Scopes()))
	in.flags.IntVar(&in.validDays, "valid-days", 0, fmt.Sprintf("`days` that it is valid (default %d, at most %d)", defaultTokenDays, store.MaxAPITokenLife/(24*time.Hour)))
	jsonFlag(in)
}

func scopeNames(scopes []store.Scope) string {
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	return strings.Join(names, ",")
}

// tokenAdd prints the token, of which only a hash is stored.
func tokenAdd(ctx context.Context, t terminal, in *invocation) error {
	var scopes []store.Scope
	for s := range strings.SplitSeq(in.scopes, ",") {
		if s = strings.TrimSpace(s); s != "" {
			scopes = append(scopes, store.Scope(s))
		}
	}
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		secret, hash, err := auth.NewToken(rand.Reader)
		if err != nil {
			return err
		}
		now := time.Now()
		// Not AddDate: a large number of days must not overflow into a valid one.
		days := cmp.Or(in.validDays, defaultTokenDays)
		if days < 1 || days > int(store.MaxAPITokenLife/(24*time.Hour)) {
			return usagef("--valid-days: a number from 1 to %d", store.MaxAPITokenLife/(24*time.Hour))
		}
		token := store.APIToken{ID: uuid.NewString(), Name: in.args[0], Hash: hash, Scopes: scopes, CreatedAt: now, ExpiresAt: now.Add(time.Duration(days) * 24 * time.Hour)}
		err = s.AddAPIToken(ctx, token)
		if errors.Is(err, store.ErrExists) {
			return usagef("there is already a token %q: 'tonprobe-collector token remove' removes it", in.args[0])
		}
		if err != nil {
			return err
		}
		if err := record(ctx, s, store.AuditAPITokenAdded, "", token.Name); err != nil {
			return err
		}
		if in.json {
			return printJSON(t.out, struct {
				ID        string        `json:"id"`
				Name      string        `json:"name"`
				Token     string        `json:"token"`
				Scopes    []store.Scope `json:"scopes"`
				ExpiresAt time.Time     `json:"expires_at"`
			}{token.ID, token.Name, secret, scopes, token.ExpiresAt.UTC()})
		}
		_, err = fmt.Fprintf(t.out, "Name:                   %s\nMay read:               %s\nValid until:            %s (%s)\nToken, shown only now:  %s\n",
			token.Name, scopeNames(scopes), token.ExpiresAt.In(c.TimeZone).Format(localMinute), c.TimeZone, secret)
		return err
	})
}

func tokenList(ctx context.Context, t terminal, in *invocation) error {
	type token struct {
		ID        string        `json:"id"`
		Name      string        `json:"name"`
		Scopes    []store.Scope `json:"scopes"`
		CreatedAt time.Time     `json:"created_at"`
		ExpiresAt time.Time     `json:"expires_at"`
		UsedAt    *time.Time    `json:"used_at"`
		Expired   bool          `json:"expired"`
	}
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		all, err := s.APITokens(ctx)
		if err != nil {
			return err
		}
		list := []token{}
		for _, one := range all {
			k := token{one.ID, one.Name, one.Scopes, one.CreatedAt, one.ExpiresAt, nil, !time.Now().Before(one.ExpiresAt)}
			if !one.UsedAt.IsZero() {
				k.UsedAt = &one.UsedAt
			}
			list = append(list, k)
		}
		if in.json {
			return printJSON(t.out, list)
		}
		tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintf(tw, "NAME\tMAY READ\tVALID UNTIL (%s)\tLAST USED\n", c.TimeZone)
		for _, k := range list {
			until, used := k.ExpiresAt.In(c.TimeZone).Format(localMinute), "-"
			if k.Expired {
				until = "expired"
			}
			if k.UsedAt != nil {
				used = k.UsedAt.In(c.TimeZone).Format(localMinute)
			}
			_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", k.Name, scopeNames(k.Scopes), until, used)
		}
		return tw.Flush()
	})
}

func tokenRemove(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		all, err := s.APITokens(ctx)
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.Name == in.args[0] || one.ID == in.args[0] {
				if err := s.RemoveAPIToken(ctx, one.ID); err != nil {
					return err
				}
				if err := record(ctx, s, store.AuditAPITokenRemoved, "", one.Name); err != nil {
					return err
				}
				_, err = fmt.Fprintf(t.out, "The token %s is removed. Programs with it are refused from now on.\n", one.Name)
				return err
			}
		}
		return usagef("there is no token %.80q: 'tonprobe-collector token list' shows them", in.args[0])
	})
}
