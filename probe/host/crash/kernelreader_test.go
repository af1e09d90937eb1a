package crash

import (
	"reflect"
	"strings"
	"testing"
)

// TestProgramsInKernelMessages: threads have names of their own, and Electron programs and Thunderbird share
// those of Chrome and Firefox. The file and the control group tell them apart.
func TestProgramsInKernelMessages(t *testing.T) {
	const coredump = `{"__REALTIME_TIMESTAMP":"1772452801000000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_PID":"4711","COREDUMP_COMM":"Web Content","COREDUMP_EXE":"/usr/lib/thunderbird/thunderbird","COREDUMP_SIGNAL_NAME":"SIGSEGV"}` + "\n"
	oom := func(group, task, kind string) string {
		return journalLines(
			"0 kernel oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=user.slice,mems_allowed=0,global_oom,task_memcg=/user.slice/user-1000.slice/user@1000.service/app.slice/"+group+",task="+task+",pid=4711,uid=1000",
			"0 kernel "+kind+"ut of memory: Killed process 4711 ("+task+") total-vm:26kB, anon-rss:8kB, file-rss:1468kB, shmem-rss:4kB, UID:1000 pgtables:40kB oom_score_adj:200",
		)
	}
	for name, c := range map[string]struct {
		journal string
		want    []string
	}{
		"thread of Chrome":             {journalLines("0 kernel ThreadPoolForeg[4711]: segfault at 0 ip 0 sp 0 error 4 in chrome[55d0c0000000+9000] likely on CPU 3 (core 1, socket 0)"), []string{"client_crashed Chrome sigsegv"}},
		"thread of Edge":               {journalLines("0 kernel CompositorTileW[4711]: segfault at 0 ip 0 sp 0 error 4 in msedge[55d0,7f+9000]"), []string{"client_crashed Edge sigsegv"}},
		"thread of Zoom":               {journalLines("0 kernel traps: MediaStreamAudi[4711] general protection fault ip:7f sp:7f error:0 in zoom[400000+900000]"), []string{"client_crashed Zoom general_protection"}},
		"Electron":                     {journalLines("0 kernel traps: Chrome_ChildIOT[4711] trap int3 ip:55 sp:7f error:0 in code[55d0+9000]"), []string{}},
		"Electron, in a library":       {journalLines("0 kernel Chrome_InProcGp[4711]: segfault at 0 ip 0 sp 0 error 4 in libGLESv2.so[55+9000]"), []string{}},
		"Firefox, in a library":        {journalLines("0 kernel Isolated Web Co[4711]: segfault at 0 ip 0 sp 0 error 4 in libxul.so[55+9000]"), []string{"client_crashed Firefox sigsegv"}},
		"sound, in its file":           {journalLines("0 kernel pulseaudio[4711]: segfault at 0 ip 0 sp 0 error 4 in pulseaudio[55+9000]"), []string{"sound_crashed  sigsegv"}},
		"Thunderbird, with a dump":     {journalLines("0 kernel Web Content[4711]: segfault at 0 ip 0 sp 0 error 4 in libxul.so[55+9000]") + coredump, []string{}},
		"another process, with a dump": {journalLines("0 kernel Web Content[4712]: segfault at 0 ip 0 sp 0 error 4 in libxul.so[55+9000]") + coredump, []string{"client_crashed Firefox sigsegv"}},

		"memory, Thunderbird":              {oom("app-gnome-thunderbird-2233.scope", "Web Content", "O"), []string{"out_of_memory"}},
		"memory, Firefox":                  {oom(`app-gnome-firefox\x2desr-2233.scope`, "Web Content", "O"), []string{"out_of_memory Firefox"}},
		"memory, unknown group":            {oom("session-2.scope", "Web Content", "O"), []string{"out_of_memory Firefox"}},
		"memory, opened from Thunderbird":  {oom("app-gnome-thunderbird-2233.scope", "firefox", "O"), []string{"out_of_memory Firefox"}},
		"memory, part of a flatpak":        {oom("app-flatpak-us.zoom.Zoom-2101.scope", "QtWebEngineProc", "O"), []string{"out_of_memory Zoom"}},
		"limit of a group, Thunderbird":    {oom("app-gnome-thunderbird-2233.scope", "Web Content", "Memory cgroup o"), []string{}},
		"limit of a group, Firefox":        {oom("app-gnome-firefox-2233.scope", "Web Content", "Memory cgroup o"), []string{"out_of_memory Firefox"}},
		"limit of a group, no application": {oom("docker-0123.scope", "mysqld", "Memory cgroup o"), []string{}},
	} {
		events, err := parseJournal(strings.NewReader(c.journal), nil)
		if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}
