// Command tonprobe-collector is the central collector of Tonprobe: it enrols agents, stores
// their reports and shows them to support.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // Windows has no names of time zones

	"github.com/tonprobe/tonprobe/cmd/internal/buildinfo"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/alert"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/backup"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
	"github.com/tonprobe/tonprobe/server/target"
)

// Exit statuses, from sysexits.h.
const (
	exitOK     = 0
	exitUsage  = 64
	exitFailed = 70
)

// version is set when a release is built.
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t := terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	status := run(ctx, t, os.Args[1:])
	stop()
	os.Exit(status)
}

// terminal is the standard input and output of a command.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// usageError describes an invalid command line or configuration, and what to do about it.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// command is one subcommand.
type command struct {
	name  string // one to three words
	args  string
	about string
	run   func(context.Context, terminal, *invocation) error
	flags func(*invocation)
}

func commands() []command {
	return []command{
		{"serve", "", "run the collector: API, reflector, dashboard", serve, serveFlags},
		{"reflect", "", "run only the reflector, beside a conference server", reflectOnly, reflectFlags},
		{"participant add", "NAME", "add a participant and print the code for their computer", participantAdd, participantAddFlags},
		{"participant code", "NAME|ID", "print one more code, for another computer", participantCode, participantCodeFlags},
		{"participant import", "FILE.csv", "add all people of a table and print their codes", participantImport, participantImportFlags},
		{"participant list", "", "list the participants with their last check", participantList, participantListFlags},
		{"participant edit", "NAME|ID", "change a participant's name or phone number", participantEdit, participantEditFlags},
		{"participant delete", "NAME|ID", "the same as erase", eraseParticipant, eraseFlags},
		{"participant computers", "NAME|ID", "list a participant's computers", participantComputers, jsonFlag},
		{"computer renew", "ID", "ask one computer to replace its token", computerRenew, nil},
		{"computer revoke", "ID", "revoke one computer, such as a stolen one", computerRevoke, nil},
		{"participant block", "NAME|ID", "block a participant's computers", participantBlock, nil},
		{"participant unblock", "NAME|ID", "unblock them", participantUnblock, nil},
		{"export", "NAME|ID", "save everything about a participant in a zip file, for the participant", exportParticipant, exportFlags},
		{"erase", "NAME|ID", "erase everything about a participant, also from backups that are restored later", eraseParticipant, eraseFlags},
		{"copies list", "", "list the copies of the database that an upgrade or a restoration left beside it", copiesList, jsonFlag},
		{"copies remove", "NAME|all", "remove one of them, or all: they still contain erased people", copiesRemove, nil},
		{"council add", "NAME", "add a council, whose members hold sessions", councilAdd, jsonFlag},
		{"council list", "", "list the councils", councilList, jsonFlag},
		{"council rename", "NAME|ID", "rename a council", councilRename, councilRenameFlags},
		{"council remove", "NAME|ID", "remove a council with its sessions", councilRemove, councilRemoveFlags},
		{"council member add", "COUNCIL PARTICIPANT", "make a participant a member", councilMemberAdd, nil},
		{"council member remove", "COUNCIL PARTICIPANT", "end a membership", councilMemberRemove, nil},
		{"council member list", "COUNCIL", "list the members with their last check, worst first", councilMemberList, jsonFlag},
		{"session add", "COUNCIL", "add a session of a council", sessionAdd, sessionAddFlags},
		{"session list", "", "list the sessions that are not over", sessionList, sessionListFlags},
		{"session cancel", "ID", "cancel a session", sessionCancel, nil},
		{"session remove", "ID", "remove a session", sessionRemove, nil},
		{"import oparl", "URL", "import a council, its members and sessions from a council information system", importOParl, importOParlFlags},
		{"import ics", "URL|FILE", "import the sessions of a council from a calendar", importCalendar, importCalendarFlags},
		{"target add", "NAME", "add a conference system that the participants use", targetAdd, targetAddFlags},
		{"target list", "", "list the conference systems", targetList, jsonFlag},
		{"target test", "NAME", "test a conference system from here, step by step", targetTest, targetTestFlags},
		{"target remove", "NAME", "remove a conference system and its secret", targetRemove, nil},
		{"profile list", "", "list the sets of limits", profileList, jsonFlag},
		{"profile show", "NAME", "print the limits of a profile with their sources", profileShow, jsonFlag},
		{"profile check", "FILE", "check a file with custom limits", profileCheck, nil},
		{"record verify", "FILE", "verify a saved disturbance record and print its checksum", recordVerify, jsonFlag},
		{"user add", "NAME", "add a user of the dashboard with a password", userAdd, userAddFlags},
		{"user invite", "NAME", "add a user, or invite one again, and print the link to choose a password", userInvite, userInviteFlags},
		{"user list", "", "list the users of the dashboard", userList, jsonFlag},
		{"user role", "NAME ROLE", "change what a user may do: support, lead, administrator, auditor", userRole, forceFlag},
		{"user passwd", "NAME", "set a new password for a user and end their sessions", userPasswd, userFlags},
		{"user reset", "NAME", "remove a user's password, second factor and sessions, and print an invitation", userReset, userResetFlags},
		{"user link", "NAME", "print a link that signs a user in once, without a password", userLink, userResetFlags},
		{"user disable", "NAME", "disable a user's account and end their sessions", userDisable, forceFlag},
		{"user enable", "NAME", "enable a disabled account", userEnable, nil},
		{"user delete", "NAME", "delete a disabled account for good", userDelete, forceFlag},
		{"token add", "NAME", "create a token with which another program may read through the API", tokenAdd, tokenAddFlags},
		{"token list", "", "list the tokens of other programs", tokenList, jsonFlag},
		{"token remove", "NAME|ID", "remove a token", tokenRemove, nil},
		{"alert test", "FILE", "check a file with alerts, and send a test to each of its channels", alertTest, alertTestFlags},
		{"migrate", "", "migrate the database", migrate, nil},
		{"backup", "FILE", "save everything in one file, also while the collector runs", writeBackup, nil},
		{"restore", "FILE", "restore a backup into an empty data directory or database", restoreBackup, restoreFlags},
		{"version", "", "print the version", printVersion, jsonFlag},
	}
}

func run(ctx context.Context, t terminal, args []string) int {
	err := dispatch(ctx, t, args)
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintln(t.err, "tonprobe-collector:", oneLine(err))
	if isUsage(err) {
		return exitUsage
	}
	return exitFailed
}

// isUsage reports whether the caller can correct the error on the command line.
func isUsage(err error) bool {
	if _, ok := errors.AsType[*usageError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*enroll.InputError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*target.InputError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*origin.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*diagnose.ProfileError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*diagnose.UnknownProfileError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*store.InputError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*roster.TableError](err); ok {
		return true
	}
	if errors.Is(err, disturbance.ErrNoRecord) {
		return true
	}
	return errors.Is(err, target.ErrExists) || errors.Is(err, target.ErrProfiles) || errors.Is(err, server.ErrConfig) || errors.Is(err, sqlstore.ErrDatabaseURL) || errors.Is(err, sqlstore.ErrNoCollector) || errors.Is(err, alert.ErrSettings) || errors.Is(err, sqlstore.ErrFilled) || errors.Is(err, sqlstore.ErrInUse) || errors.Is(err, backup.ErrOtherDatabase) || errors.Is(err, store.ErrNoSnapshot) || errors.Is(err, backup.ErrExists) || errors.Is(err, backup.ErrOccupied) || errors.Is(err, backup.ErrNoBackup) || errors.Is(err, privacy.ErrList) || errors.Is(err, auth.ErrPassword) || errors.Is(err, auth.ErrStaffName) || errors.Is(err, auth.ErrRole) || errors.Is(err, store.ErrExists)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func dispatch(ctx context.Context, t terminal, args []string) error {
	if len(args) == 0 {
		return usagef("a command is missing: 'tonprobe-collector serve' runs the collector, 'tonprobe-collector help' lists the others")
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		printUsage(t.out)
		return nil
	case "--version", "-version":
		args[0] = "version"
	}
	c, rest, err := find(args)
	if err != nil {
		return err
	}
	in, err := parse(c, rest)
	if errors.Is(err, errHelp) {
		printCommandUsage(t.out, c, in)
		return nil
	}
	if err != nil {
		return err
	}
	return c.run(ctx, t, in)
}

func find(args []string) (command, []string, error) {
	var group []string
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return c, args[len(words):], nil
		}
		if len(words) > 1 && words[0] == args[0] {
			group = append(group, strings.Join(words[1:], " "))
		}
	}
	if group != nil {
		return command{}, nil, usagef("'%s' needs one of: %s", args[0], strings.Join(group, ", "))
	}
	return command{}, nil, usagef("there is no command %.60q: 'tonprobe-collector help' lists the commands", args[0])
}

func printUsage(w io.Writer) {
	_, _ = fmt.Fprintln(w, "Usage: tonprobe-collector COMMAND [OPTIONS]")
	_, _ = fmt.Fprintln(w)
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-42s %s\n", strings.TrimSpace(c.name+" "+c.args), c.about)
	}
	_, _ = fmt.Fprintln(w, "\n'tonprobe-collector COMMAND --help' lists the options of a command.")
}

// programVersion returns the version of this build.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func printVersion(_ context.Context, t terminal, in *invocation) error {
	v := programVersion()
	if in.json {
		return printJSON(t.out, buildinfo.Of(v))
	}
	_, err := fmt.Fprintf(t.out, "tonprobe-collector %s (%s, %s/%s)\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
