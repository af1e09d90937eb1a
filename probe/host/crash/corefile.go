package crash

import (
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// coredumpName matches the file names of systemd-coredump:
// core.COMM.UID.BOOT.PID.TIME, with the time in µs (before v230 in s), and possibly
// an extension for the compression. Dots and slashes of comm are escaped.
var coredumpName = regexp.MustCompile(`^core\.(.+)\.\d+\.[0-9a-f]{32}\.\d+\.(\d{10,17})(?:\.[a-z0-9]+)?$`)

func readCoredumpName(name string) (report.HostEvent, bool) {
	m := coredumpName.FindStringSubmatch(name)
	if m == nil {
		return report.HostEvent{}, false
	}
	e := report.HostEvent{Kind: report.EventClientCrashed, Program: program(unescape(m[1])), Detail: detailDump}
	n, err := strconv.ParseInt(m[2], 10, 64)
	switch {
	case err != nil:
		return report.HostEvent{}, false
	case len(m[2]) <= 11:
		e.At = time.Unix(n, 0)
	default:
		e.At = time.UnixMicro(n)
	}
	return e, e.Program != ""
}

// unescape decodes \x2d as in unit names.
func unescape(s string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, "") + `"`)
	if err != nil {
		return s
	}
	return text
}

// corePattern returns the folder of plain core files according to
// /proc/sys/kernel/core_pattern (core(5)). ok is false if core files are passed to
// a program or written to the process's own folder.
func corePattern(pattern string) (folder, bool) {
	pattern = strings.TrimSpace(pattern)
	if !strings.HasPrefix(pattern, "/") || strings.Contains(path.Dir(pattern), "%") {
		return folder{}, false
	}
	name := path.Base(pattern)
	if !strings.Contains(name, "%e") && !strings.Contains(name, "%E") {
		return folder{}, false // the program is unknown
	}
	var expr strings.Builder
	expr.WriteString("^")
	groups := 0
	for i := 0; i < len(name); i++ {
		if name[i] != '%' || i+1 == len(name) {
			expr.WriteString(regexp.QuoteMeta(name[i : i+1]))
			continue
		}
		i++
		switch name[i] {
		case 'e', 'E': // the name, or the path with ! instead of /
			if groups == 0 {
				expr.WriteString("(.+)")
				groups++
				continue
			}
			expr.WriteString(".+")
		case '%':
			expr.WriteString("%")
		case 'p', 'P', 'i', 'I', 'u', 'g', 's', 't', 'c', 'd':
			expr.WriteString(`\d+`)
		default:
			expr.WriteString(".*")
		}
	}
	expr.WriteString(`(?:\.\d+)?$`) // core_uses_pid
	named, err := regexp.Compile(expr.String())
	if err != nil {
		return folder{}, false
	}
	return folder{path.Dir(pattern), func(file string) (report.HostEvent, bool) {
		m := named.FindStringSubmatch(file)
		if m == nil {
			return report.HostEvent{}, false
		}
		e := report.HostEvent{Kind: report.EventClientCrashed, Program: program(strings.ReplaceAll(m[1], "!", "/")), Detail: detailDump}
		return e, e.Program != ""
	}}, true
}

// readApportName parses the file name of a report of Ubuntu's apport: the path of
// the program with _ instead of /, the user id, and ".crash".
func readApportName(name string) (report.HostEvent, bool) {
	base, ok := strings.CutSuffix(name, ".crash")
	if !ok {
		return report.HostEvent{}, false
	}
	base = strings.TrimSuffix(base, filepath.Ext(base)) // the user id
	e := report.HostEvent{Kind: report.EventClientCrashed, Program: program(strings.ReplaceAll(base, "_", "/")), Detail: detailDump}
	return e, e.Program != ""
}
