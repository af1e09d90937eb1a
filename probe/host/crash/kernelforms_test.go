package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestMessagesOfDrivers: the forms of several kernels, from 4.x to 6.x.
func TestMessagesOfDrivers(t *testing.T) {
	for message, want := range map[string]string{
		// Out of memory: a summary precedes the message of the kill, which is the one that counts.
		"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/user.slice,task_memcg=/user.slice/a.scope,task=chrome,pid=19289,uid=1000": "",
		"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice,task=firefox,pid=4711,uid=1000":                     "",
		"chrome invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=300":                                             "",
		"oom_reaper: reaped process 19289 (chrome), now anon-rss:0kB, file-rss:0kB, shmem-rss:4kB":                                                                         "",
		"Out of memory: Killed process 4711 (firefox-bin) total-vm:26kB, anon-rss:8kB, file-rss:1468kB, shmem-rss:4kB, UID:1000 pgtables:40kB oom_score_adj:0":             "out_of_memory Firefox",
		"Memory cgroup out of memory: Kill process 4711 (teams-for-linux) score 971 or sacrifice child":                                                                    "out_of_memory Teams",
		"Memory cgroup out of memory: Killed process 4711 (Isolated Servic) total-vm:2676kB, anon-rss:84kB":                                                                "out_of_memory Firefox",
		"Memory cgroup out of memory: Killed process 4711 (zoom.real) total-vm:2676kB, anon-rss:84kB":                                                                      "out_of_memory Zoom",
		"Out of memory: Killed process 4711 (chromium-browse) total-vm:2676kB, anon-rss:84kB":                                                                              "out_of_memory Chromium",
		"Out of memory: Killed process 4711 (vivaldi-bin) total-vm:2676kB, anon-rss:84kB":                                                                                  "out_of_memory Vivaldi",
		"Memory cgroup out of memory: Killed process 4711 (CiscoCollabHost) total-vm:2676kB, anon-rss:84kB":                                                                "out_of_memory Webex",
		"Memory cgroup out of memory: Killed process 4711 (WebexHost) total-vm:2676kB, anon-rss:84kB":                                                                      "out_of_memory Webex",

		// Crashes.
		"Socket Process[4711]: segfault at 0 ip 00007f sp 00007f error 6 in libxul.so[6a,7f+7d] likely on CPU 3 (core 1, socket 0)": "client_crashed Firefox sigsegv",
		"traps: zoom[99] trap divide error ip:55 sp:7f error:0 in zoom[55+9000]":                                                    "client_crashed Zoom divide_error",

		// Intel: i915 and xe.
		"[drm] GPU HANG: ecode 9:0:0x85dffffb, in chrome [1234], reason: Hang on rcs0, action: reset":                             "gpu_reset",
		"i915 0000:00:02.0: Resetting rcs0 after gpu hang":                                                                        "gpu_reset",
		"i915 0000:00:02.0: [drm] Resetting chip for GuC failed to reset engine mask=0x1":                                         "gpu_reset",
		"xe 0000:00:02.0: [drm] GT0: Engine reset: engine_class=rcs, logical_mask: 0x1, guc_id=2":                                 "gpu_reset",
		"xe 0000:00:02.0: [drm] Tile0: GT0: Timedout job: seqno=24496, lrc_seqno=24496, guc_id=2, flags=0x0 in chrome [1234]":     "gpu_reset",
		"xe 0000:00:02.0: [drm] GT0: suspended":                                                                                   "",
		"xe 0000:00:02.0: [drm] Using GuC firmware from xe/lnl_guc_70.bin version 70.29.2":                                        "",
		"amdgpu 0000:03:00.0: amdgpu: GPU reset begin!. Source:  1":                                                               "gpu_reset",
		"amdgpu 0000:55:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=12, emitted seq=13":                                    "gpu_reset",
		"amdgpu 0000:55:00.0: amdgpu: ring gfx_0.0.0 timeout, but soft recovered":                                                 "gpu_reset",
		"[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring sdma0 timeout, signaled seq=1, emitted seq=3":                            "gpu_reset",
		"amdgpu 0000:03:00.0: amdgpu: MODE2 reset":                                                                                "", // at each suspend of some
		"amdgpu 0000:03:00.0: amdgpu: lockup timeouts: gfx 10000 ms":                                                              "",
		"radeon 0000:01:00.0: GPU lockup (current fence id 0x0000000000000001 last fence id 0x0000000000000003 on ring 0)":        "gpu_reset",
		"v3d fec00000.gpu: [drm:v3d_reset [v3d]] *ERROR* Resetting GPU for hang.":                                                 "gpu_reset",
		"NVRM: Xid (PCI:0000:01:00): 31, pid='<unknown>', name=<unknown>, Ch 00000010, intr 00000000. MMU Fault":                  "gpu_reset  xid_31",
		"NVRM: Xid (PCI:0000:01:00): 119, pid=1234, name=chrome, Timeout after 6s of waiting for RPC response from GPU0 GSP!":     "gpu_reset  xid_119",
		"NVRM: Xid (PCI:0000:01:00): 45, pid=1234, name=chrome, Ch 00000008":                                                      "",
		"NVRM: Xid (PCI:0000:01:00): 63, pid='<unknown>', name=<unknown>, Row Remapper: New row marked for remapping":             "",
		"NVRM: Xid (PCI:0000:01:00): 154, pid=1, name=x, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)": "",

		// Wi-Fi.
		"iwlwifi 0000:00:14.3: Microcode SW error detected. Restarting 0x0.":                                         "wifi_dropped  firmware",
		"iwlwifi 0000:02:00.0: Microcode SW error detected.  Restarting 0x2000000.":                                  "wifi_dropped  firmware",
		"ath10k_pci 0000:03:00.0: firmware crashed! (guid 8a0f3a2e-0000-4a4b-8c1d-2e3f40515253)":                     "wifi_dropped  firmware",
		"ath11k_pci 0000:01:00.0: firmware crashed: MHI_CB_EE_RDDM":                                                  "wifi_dropped  firmware",
		"brcmfmac mmc1:0001:1: brcmf_fw_crashed: Firmware has halted or crashed":                                     "wifi_dropped  firmware",
		"brcmfmac: brcmf_sdio_checkdied: firmware trap in dongle":                                                    "wifi_dropped  firmware",
		"mt7921e 0000:03:00.0: chip reset":                                                                           "wifi_dropped  firmware",
		"iwlwifi 0000:00:14.3: loaded firmware version 77.ad46c98b.0 so-a0-gf-a0-77.ucode op_mode iwlmvm":            "",
		"ath10k_pci 0000:03:00.0: firmware ver WLAN.RM.4.4.1-00157-QCARMSWPZ-1 api 6 features wowlan crc32 90eebefb": "",
		"wlp0s20f3: disassociated from 02:00:00:00:00:00 (Reason: 4=DISASSOC_DUE_TO_INACTIVITY)":                     "wifi_dropped  reason_4",
		"wlx00c0caabcdef: deauthenticated from 02:00:00:00:00:00 (Reason: 6=CLASS2_FRAME_FROM_NONAUTH_STA)":          "wifi_dropped  reason_6",
		"wlan0: disconnect from AP 02:00:00:00:00:00 for new auth to 02:00:00:00:00:01":                              "", // another access point

		// Cables.
		"e1000e: eno1 NIC Link is Down":                                                   "link_changed  down",
		"e1000e: eno1 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx":          "link_changed  up",
		"igb 0000:01:00.0 enp1s0: igb: enp1s0 NIC Link is Down":                           "link_changed  down",
		"igc 0000:06:00.0 enp6s0: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX": "link_changed  up",
		"r8152 4-1:1.0 enx00e04c680001: carrier off":                                      "link_changed  down",
		"r8152 4-1:1.0 enx00e04c680001: carrier on":                                       "link_changed  up",
		"ata1: SATA link down (SStatus 0 SControl 300)":                                   "",
		"pcieport 0000:00:1c.0: pciehp: Slot(8): Link Down":                               "",
		"usb 3-2: USB disconnect, device number 7":                                        "", // possibly a mouse; the sound is watched
		"xhci_hcd 0000:00:14.0: xHCI host controller not responding, assume dead":         "",
		"PM: suspend exit": "resume", "PM: hibernation entry": "sleep", "PM: suspend entry (shallow)": "sleep  shallow",
	} {
		e, ok := kernelEvent(message)
		if got := eventText(e); ok != (want != "") || got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
		if ok {
			e.At = noon
			if !e.Valid() {
				t.Errorf("%q: a report cannot hold %+v", message, e)
			}
		}
	}
}

// TestKilledUnits: systemd writes these messages, the system's and a person's. systemd-oomd writes another one,
// without an id, in which it names the group instead.
func TestKilledUnits(t *testing.T) {
	const line = `{"__REALTIME_TIMESTAMP":"1772438407000000","_TRANSPORT":"journal","SYSLOG_IDENTIFIER":"systemd","MESSAGE_ID":%q,"MESSAGE":%q}`
	for _, c := range []struct{ id, message, want string }{
		{messageOomdKill, `app-gnome-google\x2dchrome-6442.scope: systemd-oomd killed some process(es) in this unit.`, "out_of_memory Chrome oomd"},
		{messageOomdKill, `app-gnome-firefox\x2desr-34054.scope: systemd-oomd killed 12 process(es) in this unit.`, "out_of_memory Firefox oomd"},
		{messageOomdKill, `app-microsoft\x2dedge@3f2c.service: systemd-oomd killed 3 process(es) in this unit.`, "out_of_memory Edge oomd"},
		{messageOomdKill, `app-flatpak-us.zoom.Zoom-2101.scope: systemd-oomd killed 3 process(es) in this unit.`, "out_of_memory Zoom oomd"},
		{messageOomdKill, `snap.teams-for-linux.teams-for-linux-1b2c.scope: systemd-oomd killed 3 process(es) in this unit.`, "out_of_memory Teams oomd"},
		{messageOomdKill, `user@1000.service: systemd-oomd killed 3 process(es) in this unit.`, "out_of_memory  oomd"},
		{messageUnitOOM, `app-gnome-google\x2dchrome-6442.scope: A process of this unit has been killed by the OOM killer.`, "out_of_memory Chrome"},
		{messageUnitOOM, `session-2.scope: A process of this unit has been killed by the OOM killer.`, ""},
		{messageUnitOOM, `mysql.service: A process of this unit has been killed by the OOM killer.`, ""},
	} {
		events, err := parseJournal(strings.NewReader(fmt.Sprintf(line, c.id, c.message)), nil)
		if got := strings.Join(eventTexts(events), ", "); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.message, got, err, c.want)
		}
	}
	if args := strings.Join(journalArgs(time.Unix(0, 0)), " "); !strings.Contains(args, "MESSAGE_ID="+messageUnitOOM) {
		t.Errorf("got arguments %q, want the messages about units", args)
	}
}

// TestCrashOfFirefoxThatWasSent: only the file with the time remains.
func TestCrashOfFirefoxThatWasSent(t *testing.T) {
	dir := t.TempDir()
	for name, at := range map[string]time.Time{"LastCrash": noon, "InstallTime20260101": noon, "crashreporter.ini": noon} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("1772452800"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	events, err := readFolders(t.Context(), breakpad(dir), noon.Add(-time.Hour))
	if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, []string{"client_crashed Firefox dump"}) || !events[0].At.Equal(noon) {
		t.Errorf("got %q, error %v; want one crash at %v", got, err, noon)
	}
}
