// Package spool stores reports on disk until the collector has them.
//
// Each file contains one report. Its name consists of the report's id, a UUIDv7 (RFC
// 9562 §5.7), so that names sort by age, and the CRC-32C of its content:
// 0192….8f3a21bc.json. The content is exactly what is sent, so everybody can read what
// leaves the machine. The folder of a file is its state:
//
//	(spool itself)  waits to be sent
//	sent/           delivered; the last few are kept for display
//	local/          not to be sent, by choice of its owner
//	quarantine/     refused by the collector, or unreadable
//
// A file is created under a temporary name and renamed once it is safely on disk.
// Every drop is recorded in drops.log first, whose size is limited. tries.json records
// which of the waiting reports make the collector fail. old-since.txt contains the start of
// the grace period before the first deletion of old reports, the time of the last use, and the end of the last
// gap between two uses.
package spool

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// State is the state and folder of a report.
type State string

// The states of a report.
const (
	Waiting     State = ""
	Sent        State = "sent"
	Local       State = "local"
	Quarantined State = "quarantine"
)

// Numbers of kept reports that do not wait to be sent.
const (
	keepSent        = 50
	keepLocal       = 50
	keepQuarantined = 200
)

// ErrDiskFull means that there was no space for a report. Nothing that was stored is
// lost.
var ErrDiskFull = errors.New("no space left on the disk")

// ErrID means that a report's id is not a UUIDv7 and cannot be used as a file name.
var ErrID = errors.New("report id is not a UUIDv7")

// CorruptError means that the content of a file is not what was written.
type CorruptError struct{ ID string }

func (e *CorruptError) Error() string {
	return fmt.Sprintf("report %s is damaged on disk", e.ID)
}

// Limits limit what waits. Zero means no limit.
type Limits struct {
	Reports int
	Bytes   int64
	Age     time.Duration
}

// Entry is one report on disk.
type Entry struct {
	ID    string
	State State
	// Time is the creation time of the report by its agent's clock.
	Time  time.Time
	Bytes int64

	crc  string
	path string
}

// Spool is a folder of reports. Several processes may use it at the same time.
type Spool struct {
	fs     FS
	lock   Locker
	limits Limits
	now    func() time.Time
	log    *slog.Logger
}

// Config configures a spool.
type Config struct {
	FS     FS
	Lock   Locker
	Limits Limits
	Now    func() time.Time
	Log    *slog.Logger
}

// New opens the spool and removes partially written files of a killed process.
func New(ctx context.Context, c Config) (*Spool, error) {
	s := &Spool{fs: c.FS, lock: c.Lock, limits: c.Limits, now: c.Now, log: c.Log}
	for _, d := range []State{Sent, Local, Quarantined} {
		if err := s.fs.MkdirAll(string(d)); err != nil {
			return nil, diskError("open spool", err)
		}
	}
	unlock, err := s.lock.Lock(ctx, lockFiles)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	defer unlock()
	if err := s.clearTemporary(); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	if err := s.pruneOld(); err != nil {
		s.log.Warn("spool keeps reports longer than their period", "err", err)
	}
	return s, nil
}

// clearTemporary removes temporary files while holding the lock that every writer
// holds, so none of them is in use.
func (s *Spool) clearTemporary() error {
	files, err := s.fs.ReadDir(".")
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name, tempPrefix) {
			// The self-check of the service removes its file without the lock.
			if err := s.fs.Remove(f.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

const tempPrefix = ".tmp-"

// Put stores a report to be sent. When it returns nil, the report survives a power
// failure. The error is ErrDiskFull if there is no space.
func (s *Spool) Put(ctx context.Context, id string, doc []byte) error {
	return s.store(ctx, Waiting, id, doc)
}

// Keep stores a report that must not be sent.
func (s *Spool) Keep(ctx context.Context, id string, doc []byte) error {
	return s.store(ctx, Local, id, doc)
}

func (s *Spool) store(ctx context.Context, state State, id string, doc []byte) error {
	if !patternID.MatchString(id) {
		return ErrID
	}
	unlock, err := s.lock.Lock(ctx, lockFiles)
	if err != nil {
		return fmt.Errorf("store report: %w", err)
	}
	defer unlock()
	temp := tempPrefix + id
	to := path.Join(string(state), fileName(id, doc))
	err = s.fs.WriteSync(temp, doc)
	if err == nil {
		err = s.fs.Rename(temp, to)
	}
	if err != nil {
		_ = s.fs.Remove(temp)
		return diskError("store report", err)
	}
	if err := s.fs.SyncDir(path.Dir(to)); err != nil {
		return diskError("store report", err)
	}
	// Prune last: if space were made first and the write then failed, an old report
	// would be lost for nothing.
	s.prune()
	return nil
}

// Read returns the content of e, even if another process has moved it since it was
// listed, such as the service, which sends at any time. The error is a *CorruptError if
// the content is not what was written.
func (s *Spool) Read(e Entry) ([]byte, error) {
	doc, err := s.fs.ReadFile(e.path)
	for _, state := range []State{Sent, Quarantined} {
		if errors.Is(err, fs.ErrNotExist) {
			doc, err = s.fs.ReadFile(path.Join(string(state), path.Base(e.path)))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", e.ID, err)
	}
	if checksum(doc) != e.crc {
		return nil, &CorruptError{ID: e.ID}
	}
	return doc, nil
}

// MarkSent records that the collector has e. Two processes may send the same report and
// receive the same response; the second one finds it moved.
func (s *Spool) MarkSent(ctx context.Context, e Entry) error {
	return s.locked(ctx, "mark report "+e.ID+" sent", func() error {
		if !s.there(e) {
			return nil
		}
		return s.move(e, Sent)
	})
}

// Quarantine removes e from the queue and records the reason. A report that another
// process has moved remains where that process put it.
func (s *Spool) Quarantine(ctx context.Context, e Entry, reason string) error {
	return s.locked(ctx, "set aside report "+e.ID, func() error {
		if !s.there(e) {
			return nil
		}
		if err := s.record(Drop{ID: e.ID, Kind: DropQuarantined, Reason: reason}); err != nil {
			return err
		}
		return s.move(e, Quarantined)
	})
}

func (s *Spool) locked(ctx context.Context, doing string, do func() error) error {
	unlock, err := s.lock.Lock(ctx, lockFiles)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	defer unlock()
	return do()
}

// there reports whether e is still where it was listed. The caller holds the lock.
func (s *Spool) there(e Entry) bool {
	files, err := s.fs.ReadDir(path.Dir(e.path))
	return err != nil || slices.ContainsFunc(files, func(f File) bool { return f.Name == path.Base(e.path) })
}

// move moves e. The caller holds the lock.
func (s *Spool) move(e Entry, to State) error {
	if err := s.fs.Rename(e.path, path.Join(string(to), path.Base(e.path))); err != nil {
		return diskError("move report "+e.ID, err)
	}
	// The new name first: after a crash between the two the report may be listed twice,
	// but it is never lost.
	if err := errors.Join(s.fs.SyncDir(string(to)), s.fs.SyncDir(path.Dir(e.path))); err != nil {
		return diskError("move report "+e.ID, err)
	}
	return nil
}

// List returns the reports in the given state, oldest first.
func (s *Spool) List(state State) ([]Entry, error) {
	files, err := s.fs.ReadDir(path.Join(".", string(state)))
	if err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	var entries []Entry
	for _, f := range files {
		m := patternFile.FindStringSubmatch(f.Name)
		if m == nil {
			continue // a foreign file
		}
		entries = append(entries, Entry{
			ID: m[1], State: state, Time: timeOf(m[1]), Bytes: f.Bytes,
			crc: m[2], path: path.Join(string(state), f.Name),
		})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	return entries, nil
}

// All returns every report of every state, oldest first.
func (s *Spool) All() ([]Entry, error) {
	var all []Entry
	for _, state := range []State{Waiting, Sent, Local, Quarantined} {
		entries, err := s.List(state)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Sender acquires the sender's lock and returns a function that releases it.
func (s *Spool) Sender(ctx context.Context) (done func(), err error) {
	done, err = s.lock.Lock(ctx, lockSender)
	if err != nil {
		return nil, fmt.Errorf("wait for the other sender: %w", err)
	}
	return done, nil
}

var (
	patternID   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	patternFile = regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.([0-9a-f]{8})\.json$`)
)

func fileName(id string, doc []byte) string { return id + "." + checksum(doc) + ".json" }

func checksum(doc []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(doc, crc32.MakeTable(crc32.Castagnoli)))
}

// timeOf returns the timestamp in the first 48 bits of a UUIDv7.
func timeOf(id string) time.Time {
	var ms int64
	// patternFile guarantees twelve hexadecimal digits.
	_, _ = fmt.Sscanf(id[:8]+id[9:13], "%x", &ms)
	return time.UnixMilli(ms).UTC()
}

func diskError(doing string, err error) error {
	if isDiskFull(err) {
		return fmt.Errorf("%s: %w: %w", doing, ErrDiskFull, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
