package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

const apiTokenColumns = `id, name, token_hash, scopes, created_at, expires_at, used_at`

func scanAPIToken(row scanner) (store.APIToken, error) {
	var t store.APIToken
	var hash []byte
	var scopes string
	var created, expires, used int64
	err := row.Scan(&t.ID, &t.Name, &hash, &scopes, &created, &expires, &used)
	copy(t.Hash[:], hash)
	for _, s := range strings.Fields(scopes) {
		t.Scopes = append(t.Scopes, store.Scope(s))
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt = fromMillis(created), fromMillis(expires), fromMillis(used)
	return t, err
}

// AddAPIToken implements store.APITokens.
func (s *Store) AddAPIToken(ctx context.Context, t store.APIToken) error {
	if err := t.Check(); err != nil {
		return err
	}
	var scopes []string
	for _, scope := range t.Scopes {
		scopes = append(scopes, string(scope))
	}
	_, err := s.write.exec(ctx, `INSERT INTO api_tokens (org_id, `+apiTokenColumns+`) VALUES (`+marks(8)+`)`,
		s.org, t.ID, t.Name, t.Hash[:], strings.Join(scopes, " "), millis(t.CreatedAt), millis(t.ExpiresAt), millis(t.UsedAt))
	if s.write.taken(err) {
		return fmt.Errorf("token %s: %w", t.Name, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add token: %w", err)
	}
	return nil
}

// APIToken implements store.APITokens.
func (s *Store) APIToken(ctx context.Context, hash store.Hash) (store.APIToken, error) {
	t, err := scanAPIToken(s.read.row(ctx, `SELECT `+apiTokenColumns+` FROM api_tokens WHERE token_hash = ? AND org_id = ?`, hash[:], s.org))
	if err != nil {
		return t, fmt.Errorf("token: %w", err)
	}
	return t, nil
}

// APITokens implements store.APITokens.
func (s *Store) APITokens(ctx context.Context) ([]store.APIToken, error) {
	list, err := collect(ctx, s.read, scanAPIToken, `SELECT `+apiTokenColumns+` FROM api_tokens WHERE org_id = ? ORDER BY name`, s.org)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return list, nil
}

// UseAPIToken implements store.APITokens.
func (s *Store) UseAPIToken(ctx context.Context, id string, now time.Time) error {
	if err := oneRow(s.write.exec(ctx, `UPDATE api_tokens SET used_at = ? WHERE id = ? AND org_id = ?`, millis(now), id, s.org)); err != nil {
		return fmt.Errorf("use of token %s: %w", id, err)
	}
	return nil
}

// RemoveAPIToken implements store.APITokens.
func (s *Store) RemoveAPIToken(ctx context.Context, id string) error {
	if err := oneRow(s.write.exec(ctx, `DELETE FROM api_tokens WHERE id = ? AND org_id = ?`, id, s.org)); err != nil {
		return fmt.Errorf("remove token %s: %w", id, err)
	}
	return nil
}
