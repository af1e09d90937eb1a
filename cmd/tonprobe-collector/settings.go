package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/enroll"
)

// option is one setting: a key in the file, a variable, an option on the command line.
type option struct {
	key      string
	about    string
	optional bool // may be given without a value
	set      func(*settings, string) error
}

func (o option) flag() string     { return strings.ReplaceAll(o.key, "_", "-") }
func (o option) variable() string { return "TONPROBE_" + strings.ToUpper(o.key) }

// settings is the configuration.
type settings struct {
	server.Config
	logLevel   slog.Level
	logFormat  string // "" or formatJSON
	turnTLSSet bool
	whipSecret []byte // of reflect; empty without a WHIP endpoint
}

func options() []option {
	text := func(to func(*settings) *string) func(*settings, string) error {
		return func(s *settings, v string) error { *to(s) = v; return nil }
	}
	all := []option{
		{"data", "`directory` for database and certificates", false, text(func(s *settings) *string { return &s.DataDir })},
		{"profiles", "`directory` with custom limits, NAME.toml (default: profiles in the data directory)", false, text(func(s *settings) *string { return &s.ProfilesDir })},
		{"providers", "`file` with the address ranges of internet providers, to recognise a provider's outage", false, text(func(s *settings) *string { return &s.ProvidersFile })},
		{"database_url", "`URL` of a PostgreSQL database (postgres://user@host/database) instead of a file; if it contains a password, use --database-url-file or the variable: every user of this machine can read the list of processes", false, text(func(s *settings) *string { return &s.DatabaseURL })},
		{"database_url_file", "`file` with that URL", false, setDatabaseURLFile},
		{"listen", "`address` of dashboard and API (default :8443, with a proxy on this machine 127.0.0.1:8443)", false, text(func(s *settings) *string { return &s.Listen })},
		{"public_url", "`address` that people and agents use, if different", false, text(func(s *settings) *string { return &s.PublicURL })},
		{"tls_cert", "PEM `file` with the TLS certificate", false, text(func(s *settings) *string { return &s.TLSCert })},
		{"tls_key", "PEM `file` with its key", false, text(func(s *settings) *string { return &s.TLSKey })},
		{"behind_proxy", "speak plain HTTP to a proxy on this machine, or in =`networks`", true, setProxy},
		{"stun_listen", "`address` of STUN and TURN (default :3478)", false, text(func(s *settings) *string { return &s.STUNListen })},
		{"media_listen", "`address` of the echo (default :3480)", false, text(func(s *settings) *string { return &s.MediaListen })},
		{"media_ip", "`IPs` to advertise for the echo, comma-separated (default: this machine's)", false, setMediaIPs},
		{"media_host", "`host` of this collector's STUN and TURN, if it is not that of public-url, as with several collectors behind a load balancer", false, text(func(s *settings) *string { return &s.MediaHost })},
		{"stun_alternate", "second `IP` of this machine, to determine the NAT behaviour of participants' routers", false, setAlternate},
		{"turn_tls_listen", "`address` of TURN over TLS, or off (default :5349, unless stun-listen is set)", false, setTURNTLS},
		{"turn_secret_file", "`file` with the secret shared with other collectors' TURN", false, setTURNSecret},
		{"turn_secret", "the same as a `text`, which every user of this machine can read in the list of processes", false, func(s *settings, v string) error { s.TURNSecret = []byte(v); return nil }},
		{keyWHIPSecret, "`file` with the secret of the collector's target; opens a WHIP endpoint at --listen", false, setWHIPSecret},
		{"ice_server", "`URL` of an external STUN or TURN server for agents, in addition to ours; may be repeated", false, setICEServers},
		{"ice_secret_file", "`file` with the secret shared with those TURN servers (coturn: static-auth-secret)", false, setICESecret},
		{"ice_credentials_file", "`file` with user name and password for them, one per line, if there is no shared secret", false, setICECredentials},
		{"ice_only", "announce only those servers, not the collector's own", true, setICEOnly},
		{"metrics_listen", "`address` of /metrics for Prometheus, or off (default 127.0.0.1:9464)", false, setMetrics},
		{"alerts", "`file` with the rules and channels of alerts (docs/administrator.md)", false, text(func(s *settings) *string { return &s.AlertsFile })},
		{"contact", "`address` (mail or web) for questions about the dashboard's accessibility", false, text(func(s *settings) *string { return &s.Contact })},
		{"arbitration", "web address or `name` of the arbitration body in the statement of accessibility", false, text(func(s *settings) *string { return &s.Arbitration })},
		{"support_phone", "telephone `number` of phone support, shown with each result", false, text(func(s *settings) *string { return &s.SupportPhone })},
		{"keep_reports", "`days` to keep reports, 0 for indefinitely (default 180)", false, keepDays(func(s *settings) *time.Duration { return &s.KeepReports })},
		{"keep_audit", "`days` to keep the audit log, 0 for indefinitely (default 365)", false, keepDays(func(s *settings) *time.Duration { return &s.KeepAudit })},
		{"keep_records", "`days` to keep disturbance records, 0 for indefinitely (default 1095)", false, keepDays(func(s *settings) *time.Duration { return &s.KeepRecords })},
		{"keep_sessions", "`days` to keep sessions of councils, 0 for indefinitely (default 1095)", false, keepDays(func(s *settings) *time.Duration { return &s.KeepSessions })},
		{"keep_people", "`days` to keep people who are in no council, from the last time that they used a computer, 0 for indefinitely (default 365)", false, keepDays(func(s *settings) *time.Duration { return &s.KeepPeople })},
		{"keep_erased_names", "`days` to remember, as keyed hashes, the names of erased people so that no import adds them again, 0 for indefinitely (default 2190)", false, keepDays(func(s *settings) *time.Duration { return &s.KeepErasedNames })},
		{"land", "`name` of the rules for disturbance records: mv, nw, rp, sh, or those of a file (default none)", false, text(func(s *settings) *string { return &s.Land })},
		{"rules_dir", "`directory` with your own rules, NAME.toml (default: rules in the data directory)", false, text(func(s *settings) *string { return &s.RulesDir })},
		{"code_days", "`days` that the codes of participants are valid (default 14, at most 365)", false, setCodeDays},
		{"fresh_hours", "`hours` for which a check counts; an older one is shown as too long ago (default 24)", false, setFreshHours},
		{"time_zone", "`zone` of the times of sessions and on the pages (default Europe/Berlin)", false, setTimeZone},
		{"keep_full_addresses", "store complete public addresses instead of /24 and /48", true, setKeepFull},
		{"log_level", "`level`: debug, info (default), warn, error", false, func(s *settings, v string) error { return s.logLevel.UnmarshalText([]byte(v)) }},
		{"log_format", "`format` of the log: text (default) or json", false, setLogFormat},
	}
	return append(all, signInOptions()...)
}

// formatJSON is the format of a log with one JSON object per line.
const formatJSON = "json"

func setLogFormat(s *settings, v string) error {
	switch v {
	case "text":
		s.logFormat = ""
	case formatJSON:
		s.logFormat = formatJSON
	default:
		return fmt.Errorf("%.20q is not a format: text or json", v)
	}
	return nil
}

func optionOf(key string) option {
	all := options()
	i := slices.IndexFunc(all, func(o option) bool { return o.key == key })
	return all[i] // keys are constants of this program
}

func setProxy(s *settings, v string) error {
	s.BehindProxy = nil
	switch v {
	case "false", "":
		return nil
	case "true":
		v = "127.0.0.0/8,::1/128"
	}
	for _, part := range strings.Split(v, ",") {
		p, err := parseNetwork(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		s.BehindProxy = append(s.BehindProxy, p)
	}
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%.60q is not a network: write it like 10.0.0.0/8", text)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func setMediaIPs(s *settings, v string) error {
	s.MediaIPs = nil
	for _, part := range strings.Split(v, ",") {
		a, err := netip.ParseAddr(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%.60q is not an IP address", part)
		}
		s.MediaIPs = append(s.MediaIPs, a)
	}
	return nil
}

func setAlternate(s *settings, v string) (err error) {
	if s.STUNAlternate, err = netip.ParseAddr(v); err != nil {
		return fmt.Errorf("%.60q is not an IP address", v)
	}
	return nil
}

func setTURNTLS(s *settings, v string) error {
	s.turnTLSSet, s.TURNTLSListen = true, v
	if v == "off" {
		s.TURNTLSListen = ""
	}
	return nil
}

func setICEServers(s *settings, v string) error {
	s.ICEServers.URLs = nil
	for _, part := range strings.Split(v, ",") {
		s.ICEServers.URLs = append(s.ICEServers.URLs, strings.TrimSpace(part))
	}
	return nil
}

func setDatabaseURLFile(s *settings, v string) error {
	address, err := readSecret(v)
	s.DatabaseURL = string(address)
	return err
}

func setTURNSecret(s *settings, v string) (err error) {
	s.TURNSecret, err = readSecret(v)
	return err
}

func setWHIPSecret(s *settings, v string) (err error) {
	s.whipSecret, err = readSecret(v)
	return err
}

func setICESecret(s *settings, v string) (err error) {
	s.ICEServers.Secret, err = readSecret(v)
	return err
}

func setICECredentials(s *settings, v string) (err error) {
	s.ICEServers.Username, s.ICEServers.Password, err = readCredentials(v)
	return err
}

func setICEOnly(s *settings, v string) (err error) {
	if s.ICEServers.Only, err = strconv.ParseBool(v); err != nil {
		return errors.New("it must be true or false")
	}
	return nil
}

func setMetrics(s *settings, v string) error {
	s.MetricsListen, s.MetricsOptional = v, false
	if v == "off" {
		s.MetricsListen = ""
	}
	return nil
}

func keepDays(field func(*settings) *time.Duration) func(*settings, string) error {
	return func(s *settings, v string) error {
		days, err := strconv.Atoi(v)
		if err != nil || days < 0 || days > 36500 {
			return errors.New("it must be a number of days, or 0 to keep them indefinitely")
		}
		*field(s) = time.Duration(days) * 24 * time.Hour
		return nil
	}
}

func setCodeDays(s *settings, v string) error {
	days, err := strconv.Atoi(v)
	if err != nil || days < 1 || days > enroll.MaxCodeDays {
		return fmt.Errorf("it must be a number of days from 1 to %d", enroll.MaxCodeDays)
	}
	s.CodeTTL = time.Duration(days) * 24 * time.Hour
	return nil
}

func setFreshHours(s *settings, v string) error {
	const most = 365 * 24
	hours, err := strconv.Atoi(v)
	if err != nil || hours < 1 || hours > most {
		return fmt.Errorf("it must be a number of hours from 1 to %d", most)
	}
	s.FreshFor = time.Duration(hours) * time.Hour
	return nil
}

func setTimeZone(s *settings, v string) (err error) {
	if v == "" {
		return errors.New("it must be the name of a time zone, such as Europe/Berlin")
	}
	if s.TimeZone, err = time.LoadLocation(v); err != nil {
		return fmt.Errorf("%.60q is not the name of a time zone: write it like Europe/Berlin", v)
	}
	return nil
}

func setKeepFull(s *settings, v string) (err error) {
	if s.KeepFullAddresses, err = strconv.ParseBool(v); err != nil {
		return errors.New("it must be true or false")
	}
	return nil
}

// settings merges the configuration: defaults, file, variables, options.
func (in *invocation) settings(t terminal) (settings, error) {
	s := settings{}
	s.DataDir = defaultData(t.getenv)
	s.MetricsListen, s.MetricsOptional = "127.0.0.1:9464", true
	s.KeepReports, s.KeepAudit, s.KeepRecords = 180*24*time.Hour, 365*24*time.Hour, 1095*24*time.Hour
	s.KeepSessions, s.KeepPeople, s.KeepErasedNames = 1095*24*time.Hour, 365*24*time.Hour, 2190*24*time.Hour
	s.CodeTTL, s.FreshFor = enroll.CodeTTL, 24*time.Hour
	file := in.configFile
	if file == "" {
		file = t.getenv("TONPROBE_CONFIG")
	}
	all, err := fromFile(file)
	if err != nil {
		return s, err
	}
	for _, o := range options() {
		if v := t.getenv(o.variable()); v != "" {
			all = append(all, setting{o.key, v, o.variable()})
		}
	}
	for _, g := range append(all, joined(in.given)...) {
		if err := optionOf(g.key).set(&s, g.value); err != nil {
			return s, usagef("%s: %s", g.from, err)
		}
	}
	// If STUN does not use its default port, that port is used by something else.
	if !s.turnTLSSet && s.STUNListen == "" {
		s.TURNTLSListen = ":5349"
	}
	if s.TimeZone == nil {
		if err := setTimeZone(&s, server.DefaultTimeZone); err != nil {
			return s, err
		}
	}
	return s, nil
}

// repeatable are the options that may be given more than once.
var repeatable = []string{"ice_server", "oidc_roles"}

// numbers are the settings that may be numbers in the file, without quotes.
var numbers = []string{"keep_reports", "keep_audit", "keep_records", "keep_sessions", "keep_people", "keep_erased_names", "code_days", "fresh_hours"}

// joined combines repeated options into one setting, like a list in the file.
func joined(given []setting) (all []setting) {
	for _, g := range given {
		i := slices.IndexFunc(all, func(s setting) bool { return s.key == g.key })
		if i >= 0 && slices.Contains(repeatable, g.key) {
			all[i].value += "," + g.value
			continue
		}
		all = append(all, g)
	}
	return all
}

const maxConfigBytes = 1 << 20

func fromFile(name string) ([]setting, error) {
	if name == "" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, usagef("configuration: %s", err)
	}
	if info.Size() > maxConfigBytes {
		return nil, usagef("configuration %s is larger than %d bytes: is it the right file?", name, maxConfigBytes)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("configuration: %s", err)
	}
	// Notepad of Windows writes a byte order mark, which TOML does not allow.
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	var values map[string]any
	if err := toml.NewDecoder(bytes.NewReader(b)).Decode(&values); err != nil {
		if d, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ := d.Position()
			return nil, usagef("configuration %s, line %d: %s", name, line, d.Error())
		}
		return nil, usagef("configuration %s: %s", name, err)
	}
	return settingsOf(name, values)
}

func settingsOf(file string, values map[string]any) ([]setting, error) {
	var known []string
	for _, o := range options() {
		known = append(known, o.key)
	}
	var all []setting
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		from := "configuration " + file + ", " + key
		if !slices.Contains(known, key) {
			return nil, usagef("configuration %s: there is no setting %.60q; there are: %s", file, key, strings.Join(known, ", "))
		}
		text, err := tomlText(value)
		if n, isNumber := value.(int64); isNumber && slices.Contains(numbers, key) {
			text, err = strconv.FormatInt(n, 10), nil
		}
		if err != nil {
			return nil, usagef("%s: %s", from, err)
		}
		all = append(all, setting{key, text, from})
	}
	return all, nil
}

// tomlText returns a value in the form of the command line.
func tomlText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case []any:
		var parts []string
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return "", errors.New("a list must contain strings in quotes")
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("it must be a string in quotes, true or false, or a list of strings")
}

// defaultData returns the system's folder for a service's data, or a person's.
func defaultData(getenv func(string) string) string {
	const name = "tonprobe-collector"
	if dir := getenv("STATE_DIRECTORY"); dir != "" { // systemd.exec(5)
		dir, _, _ = strings.Cut(dir, ":")
		return dir
	}
	switch {
	case runtime.GOOS == "windows":
		if dir := getenv("ProgramData"); dir != "" {
			return filepath.Join(dir, name)
		}
	case os.Getuid() == 0:
		return filepath.Join("/var/lib", name)
	}
	if dir := getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, name)
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", name)
	}
	return name
}
