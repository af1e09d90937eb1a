package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

func apiTokens(t *testing.T, s store.Store) {
	token := func(name string, scopes ...store.Scope) store.APIToken {
		return store.APIToken{ID: uuid.NewString(), Name: name, Hash: store.HashOf(name), Scopes: scopes, CreatedAt: evening, ExpiresAt: evening.AddDate(0, 3, 0)}
	}
	statistics, wall := token("statistics", store.ScopeReports, store.ScopeCauses), token("a wall", store.ScopeSessions)
	must(t, s.AddAPIToken(t.Context(), statistics))
	must(t, s.AddAPIToken(t.Context(), wall))
	wantError(t, "the same name", s.AddAPIToken(t.Context(), token("a wall", store.ScopeCases)), store.ErrExists)
	for what, bad := range map[string]store.APIToken{
		"no scope": token("x"), "another scope": token("x", "everything"), "a scope twice": token("x", store.ScopeCases, store.ScopeCases),
		"no name": token("", store.ScopeCases), "two lines": token("x\ny", store.ScopeCases), "a long name": token(strings.Repeat("x", 1000), store.ScopeCases),
	} {
		if err := s.AddAPIToken(t.Context(), bad); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	for _, life := range []time.Duration{0, -time.Hour, store.MaxAPITokenLife + time.Hour} {
		bad := token("x", store.ScopeCases)
		bad.ExpiresAt = bad.CreatedAt.Add(life)
		if err := s.AddAPIToken(t.Context(), bad); err == nil {
			t.Errorf("a token for %v was accepted", life)
		}
	}
	must(t, s.UseAPIToken(t.Context(), wall.ID, evening.Add(time.Hour)))
	wantError(t, "use of an unknown one", s.UseAPIToken(t.Context(), "x", evening), store.ErrNotFound)
	got, err := s.APIToken(t.Context(), wall.Hash)
	must(t, err)
	if got.ID != wall.ID || got.Name != wall.Name || got.Hash != wall.Hash || !slices.Equal(got.Scopes, wall.Scopes) || !got.CreatedAt.Equal(wall.CreatedAt) ||
		!got.ExpiresAt.Equal(wall.ExpiresAt) || !got.UsedAt.Equal(evening.Add(time.Hour)) {
		t.Errorf("got %+v, want %+v, used at %v", got, wall, evening.Add(time.Hour))
	}
	list, err := s.APITokens(t.Context())
	must(t, err)
	if len(list) != 2 || list[0].Name != wall.Name || !slices.Equal(list[1].Scopes, statistics.Scopes) || !list[1].UsedAt.IsZero() {
		t.Errorf("got %+v, want both by name", list)
	}
	must(t, s.RemoveAPIToken(t.Context(), wall.ID))
	wantError(t, "remove again", s.RemoveAPIToken(t.Context(), wall.ID), store.ErrNotFound)
	_, err = s.APIToken(t.Context(), wall.Hash)
	wantError(t, "a removed one", err, store.ErrNotFound)
}
