package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/target"
)

// targetOptions are the options of "target add".
type targetOptions struct {
	system, url, profile string
	secretFile, hash     string
	apiKey, apiSecret    string
}

func targetAddFlags(in *invocation) {
	o := &in.target
	in.flags.StringVar(&o.system, "system", "", "bbb, livekit, janus, whip, zoom or youtube (`system`)")
	in.flags.StringVar(&o.url, "url", "", "`address` of the conference server")
	in.flags.StringVar(&o.profile, "profile", "", "limits to assess by (`name`; default: those of the system)")
	in.flags.StringVar(&o.secretFile, "secret-file", "", "`file` with the secret of a BigBlueButton or of a WHIP endpoint, or - for standard input")
	in.flags.StringVar(&o.hash, "hash", "", "sha1, sha256, sha384 or sha512: how it is signed with that secret (`hash`; default sha256)")
	in.flags.StringVar(&o.apiKey, "api-key", "", "API `key` of a LiveKit")
	in.flags.StringVar(&o.apiSecret, "api-secret-file", "", "`file` with the secret of that key, or - for standard input")
	jsonFlag(in)
}

func targetTestFlags(in *invocation) {
	in.flags.BoolVar(&in.verbose, "verbose", false, "print requests, durations and figures, without secrets")
	in.flags.BoolVar(&in.noCall, "no-call", false, "create no test meeting and make no call, for example during a session")
	jsonFlag(in)
}

// targets returns the file of the targets in the collector's directory.
func (in *invocation) targets(t terminal) (target.File, error) {
	c, err := in.settings(t)
	if err != nil {
		return target.File{}, err
	}
	if err := datadir.Make(c.DataDir); err != nil {
		return target.File{}, err
	}
	return target.In(c.DataDir), nil
}

func targetAdd(ctx context.Context, t terminal, in *invocation) error {
	o := in.target
	secret, err := secretOf(t, o.secretFile)
	if err != nil {
		return err
	}
	apiSecret, err := secretOf(t, o.apiSecret)
	if err != nil {
		return err
	}
	profiles, err := in.profiles(t)
	if err != nil {
		return err
	}
	added, err := target.Target{
		Name: in.args[0], System: o.system, URL: o.url, Profile: o.profile,
		Secret: secret, Hash: o.hash, APIKey: o.apiKey, APISecret: apiSecret, AddedAt: time.Now().UTC().Truncate(time.Second),
	}.NormalizeWith(profiles)
	if err != nil {
		return err
	}
	file, err := in.targets(t)
	if err != nil {
		return err
	}
	if err := file.Add(ctx, added); err != nil {
		return err
	}
	if in.json {
		return printJSON(t.out, listedTargetOf(added))
	}
	_, err = fmt.Fprintf(t.out, "%s: %s at %s\n\nParticipants check it with: tonprobe check --target %s\nTo test it from here:       tonprobe-collector target test %s\n",
		added.Name, added.System, origin.Display(added.URL), quoted(added.Name), quoted(added.Name))
	return err
}

// quoted returns a name as it is typed in a shell. Names contain no quotation
// marks.
func quoted(name string) string {
	if strings.Contains(name, " ") {
		return `"` + name + `"`
	}
	return name
}

// maxSecretFile is far more than a secret needs; a longer file is the wrong one.
const maxSecretFile = 4 << 10

// secretOf reads a secret from a file, because a command line is visible to every
// user of the machine.
func secretOf(t terminal, file string) (secret string, err error) {
	if file == "" {
		return "", nil
	}
	from := t.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", usagef("the secret: %s", err)
		}
		defer func() { _ = f.Close() }()
		// Windows has no such bits: Go reports 0666 there.
		if info, err := f.Stat(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0 {
			fmt.Fprintf(t.err, "warning: other users of this computer can read %s: run 'chmod 600 %s', or remove the file now\n", file, file)
		}
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxSecretFile+1))
	switch secret = strings.TrimSpace(string(b)); {
	case err != nil:
		return "", usagef("the secret: %s", err)
	case len(b) > maxSecretFile:
		return "", usagef("%s is larger than %d bytes: it should contain one secret and nothing else", file, maxSecretFile)
	case secret == "":
		return "", usagef("%s is empty: it should contain the secret", file)
	}
	return secret, nil
}

// listedTarget is a target in the JSON list. It contains no secret.
type listedTarget struct {
	Name    string    `json:"target"`
	System  string    `json:"system"`
	URL     string    `json:"url"`
	Profile string    `json:"profile"`
	Secret  bool      `json:"has_secret"`
	AddedAt time.Time `json:"added_at"`
}

func listedTargetOf(t target.Target) listedTarget {
	return listedTarget{t.Name, t.System, t.URL, t.Profile, t.HasSecret(), t.AddedAt}
}

func targetList(_ context.Context, t terminal, in *invocation) error {
	file, err := in.targets(t)
	if err != nil {
		return err
	}
	all, err := file.List()
	if err != nil {
		return err
	}
	list := []listedTarget{}
	for _, t := range all {
		list = append(list, listedTargetOf(t))
	}
	if in.json {
		return printJSON(t.out, list)
	}
	tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "NAME\tSYSTEM\tADDRESS\tPROFILE\tSECRET")
	for _, l := range list {
		secret := "-"
		if l.Secret {
			secret = "known"
		}
		_, _ = fmt.Fprintln(tw, strings.Join([]string{l.Name, l.System, origin.Display(l.URL), l.Profile, secret}, "\t"))
	}
	return tw.Flush()
}

func targetRemove(ctx context.Context, t terminal, in *invocation) error {
	file, err := in.targets(t)
	if err != nil {
		return err
	}
	if err := file.Remove(ctx, in.args[0]); err != nil {
		return noTarget(err, in.args[0])
	}
	_, err = fmt.Fprintf(t.out, "%s has been removed, together with its secret.\n", in.args[0])
	return err
}

func noTarget(err error, name string) error {
	if errors.Is(err, target.ErrNotFound) {
		return usagef("there is no target %.60q: 'tonprobe-collector target list' shows them", name)
	}
	return err
}

// errTargetFailed means that a target does not work; the reason has been printed.
var errTargetFailed = errors.New("the target does not work")

func targetTest(ctx context.Context, t terminal, in *invocation) error {
	file, err := in.targets(t)
	if err != nil {
		return err
	}
	known, err := file.Get(in.args[0])
	if err != nil {
		return noTarget(err, in.args[0])
	}
	profiles, err := in.profiles(t)
	if err != nil {
		return err
	}
	limits, err := profiles.Load(known.Profile)
	if err != nil {
		return err
	}
	result, err := testTarget(ctx, known, limits.PortsOf(report.ConferenceGroup+"."+known.System), in.noCall)
	if err != nil {
		return err
	}
	if in.json {
		err = printJSON(t.out, result)
	} else {
		err = printTested(t.out, result, in.verbose)
	}
	if err == nil && result.failed() {
		err = errTargetFailed
	}
	return err
}

func statusText(status int) string {
	if status == 0 {
		return ""
	}
	return fmt.Sprintf(", status %d", status)
}
