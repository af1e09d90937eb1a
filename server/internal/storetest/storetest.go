// Package storetest tests that each implementation of a store meets the same requirements.
package storetest

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

var evening = time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)

// Run tests a store; open returns an empty one that is closed by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	RunSearch(t, open)
	t.Run("tombstones of a newer state", func(t *testing.T) { newerTombstones(t, open(t), open(t)) })
	for name, test := range map[string]func(*testing.T, store.Store){
		"participants":          participants,
		"enrol":                 enrol,
		"enrol once":            enrolOnce,
		"same agent again":      sameAgentAgain,
		"save reports":          saveReports,
		"save all or nothing":   saveAllOrNothing,
		"saved exactly once":    savedExactlyOnce,
		"latest state":          latestState,
		"server's clock ahead":  clockAhead,
		"full and background":   fullAndBackground,
		"age":                   age,
		"retention runs":        retentionRuns,
		"old sessions":          oldSessions,
		"without a council":     withoutCouncil,
		"needed without one":    neededWithoutCouncil,
		"set up without one":    setUpWithoutCouncil,
		"erased again":          erasedAgain,
		"edit and delete":       editAndDelete,
		"revoke":                revoke,
		"tokens":                tokens,
		"tokens while many":     tokensWhileMany,
		"tokens of programs":    apiTokens,
		"guesses":               guesses,
		"own pages":             ownPages,
		"retention":             retention,
		"history by page":       historyByPage,
		"received reports":      receivedReports,
		"reports between":       reportsBetween,
		"names of a search":     namesMatch,
		"last good report":      lastGoodReport,
		"participants by page":  participantsByPage,
		"case code of several":  caseCodeOfSeveral,
		"hostile cursors":       hostileCursors,
		"expired things vanish": expiredThingsVanish,
		"changes":               changes,
		"changes while many":    changesWhileMany,
		"backup":                backup,
		"cases":                 cases,
		"cases while many":      casesWhileMany,
		"double clicks":         casesOfDoubleClicks,
		"counts of cases":       caseCounts,
		"staff accounts":        staffAccounts,
		"staff sessions":        staffSessions,
		"late logins":           lateLogins,
		"staff of a provider":   staffOfProvider,
		"staff invitations":     staffInvitations,
		"last administrator":    lastAdministrator,
		"second factors":        secondFactors,
		"audit log":             auditLog,
		"list of cases":         desk,
		"disturbances":          disturbances,
		"many disturbances":     disturbancesWhileMany,
		"imports":               imports,
		"erasure":               erasure,
		"erased names":          erasedNames,
		"erasure while many":    erasureWhileMany,
		"councils":              councils,
		"members of councils":   councilMembers,
		"sessions of councils":  councilSessions,
		"imported sessions":     importedSessions,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// RunSearch is the part of Run about searches.
func RunSearch(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"search":              search,
		"search by all means": searchByAllMeans,
		"case codes by age":   caseCodesByAge,
		"hostile texts":       hostileTexts,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// inBackground returns a check without a microphone.
func inBackground(verdict report.Verdict, checked time.Time) store.NewReport {
	n := newReport("", verdict, checked)
	n.Report.Trigger, n.Report.Probes[0].Status = report.TriggerSchedule, report.StatusSkipped
	return n
}

// person adds a participant with one enrolled agent and returns both ids.
func person(t *testing.T, s store.Store, name string) (participantID, agentID string) {
	t.Helper()
	p := store.Participant{ID: uuid.NewString(), Name: name, CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	return p.ID, agentOf(t, s, p.ID)
}

func agentOf(t *testing.T, s store.Store, participantID string) string {
	t.Helper()
	code, agent := store.HashOf(uuid.NewString()), uuid.NewString()
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: participantID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	_, err := s.Enrol(t.Context(), code, store.NewAgent{ID: agent, TokenHash: store.HashOf(agent), Version: "1", OS: "linux", Arch: "amd64"}, evening)
	must(t, err)
	return agent
}

func newReport(caseCode string, verdict report.Verdict, checked time.Time) store.NewReport {
	r := &report.Report{Schema: report.SchemaV1, ID: uuid.Must(uuid.NewV7()).String(), Case: caseCode,
		Trigger: report.TriggerCheck, StartedAt: checked, Verdict: verdict,
		Probes: []report.Result{{Name: report.ProbeAudioInput, Status: report.StatusOK}}}
	if verdict == report.NotReady {
		r.Causes = []report.Cause{{Code: "audio.os_muted", Severity: report.SeverityFail, Area: report.AreaParticipant, Primary: true}}
	}
	document, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return store.NewReport{Report: r, Document: document, ReceivedAt: checked.Add(time.Minute), CheckedAt: checked}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func backup(t *testing.T, s store.Store) {
	person(t, s, "A")
	path := filepath.Join(t.TempDir(), "it's a backup.db")
	err := s.Backup(t.Context(), path)
	if errors.Is(err, store.ErrNoSnapshot) {
		must(t, s.Ping(t.Context()))
		t.Skip("the programs of PostgreSQL are not installed")
	}
	must(t, err)
	wantError(t, "over another file", s.Backup(t.Context(), path), store.ErrExists)
	must(t, s.Ping(t.Context()))
}
