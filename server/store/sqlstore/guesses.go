package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// GuessesUntil implements store.Guesses.
func (s *Store) GuessesUntil(ctx context.Context, buckets []string) (map[string]time.Time, error) {
	until := map[string]time.Time{}
	scan := func(row scanner) (bucket string, err error) {
		var at int64
		err = row.Scan(&bucket, &at)
		until[bucket] = fromMillis(at)
		return bucket, err
	}
	for chunk := range padded(buckets) {
		_, err := collect(ctx, s.read, scan, `SELECT bucket, expires_at FROM guesses WHERE org_id = ? AND bucket IN (`+marks(len(chunk))+`)`,
			append([]any{s.org}, chunk...)...)
		if err != nil {
			return nil, fmt.Errorf("read guesses: %w", err)
		}
	}
	return until, nil
}

// fullBucketsAtOnce is the number of full buckets that AddGuess removes.
const fullBucketsAtOnce = 16

// AddGuess implements store.Guesses.
func (s *Store) AddGuess(ctx context.Context, guesses []store.Guess, now time.Time) error {
	if len(guesses) == 0 {
		return nil
	}
	var args []any
	// All statements lock in the same order.
	for _, g := range slices.SortedFunc(slices.Values(guesses), func(a, b store.Guess) int { return cmp.Compare(a.Bucket, b.Bucket) }) {
		args = append(args, s.org, g.Bucket, millis(now.Add(g.Cost)), g.Full.Milliseconds())
	}
	at, skew := millis(now), store.GuessClockSkew.Milliseconds()
	err := s.write.inTx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `INSERT INTO guesses (org_id, bucket, expires_at, full_ms) VALUES `+tuples(len(guesses), "("+marks(4)+")")+`
			ON CONFLICT (org_id, bucket) DO UPDATE SET full_ms = excluded.full_ms, expires_at = CASE
				WHEN guesses.expires_at <= ? OR guesses.expires_at > ? + excluded.full_ms THEN excluded.expires_at
				WHEN guesses.expires_at + excluded.expires_at - ? > ? + excluded.full_ms THEN ? + excluded.full_ms
				ELSE guesses.expires_at + excluded.expires_at - ? END`,
			append(slices.Clone(args), at, at+skew, at, at, at, at)...)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `DELETE FROM guesses WHERE org_id = ? AND bucket IN (SELECT bucket FROM guesses
			WHERE org_id = ? AND expires_at < ? ORDER BY expires_at LIMIT ?`+s.write.skipLocked+`)`, s.org, s.org, at-skew, fullBucketsAtOnce)
		return err
	})
	if err != nil {
		return fmt.Errorf("store a guess: %w", err)
	}
	return nil
}

// ForgetGuesses implements store.Guesses.
func (s *Store) ForgetGuesses(ctx context.Context, buckets []string) error {
	for chunk := range padded(buckets) {
		_, err := s.write.exec(ctx, `DELETE FROM guesses WHERE org_id = ? AND bucket IN (`+marks(len(chunk))+`)`, append([]any{s.org}, chunk...)...)
		if err != nil {
			return fmt.Errorf("forget guesses: %w", err)
		}
	}
	return nil
}
