package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestMain makes this test binary the real program if it is called by its name,
// including the capture process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == audio.ChildArg {
		os.Exit(audio.ChildMain(os.Stdin, os.Stdout))
	}
	testscript.Main(m, map[string]func(){"tonprobe": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TONPROBE_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("TONPROBE_LANG", "en")
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stub":   cmdStub,
			"status": cmdStatus,
			"closed": cmdClosed,
			"refuse": cmdRefuse,
			"stored": cmdStored,
			"zeros":  cmdZeros,
		},
		Condition: func(name string) (bool, error) {
			if name == "fast" {
				return need.Short(), nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		RequireExplicitExec: true,
	})
}

// cmdStatus runs a command and checks its exit status: status 64 tonprobe …
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: status N command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = strings.TrimPrefix(e.Error(), "exit status ")
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// cmdClosed sets $URL to an address on which nothing listens.
func cmdClosed(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("URL", "https://"+l.Addr().String())
	ts.Check(l.Close())
}

// cmdZeros writes a silent mono WAV file with 8 bits at 8 kHz: zeros SECONDS FILE.
func cmdZeros(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: zeros SECONDS FILE")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	sound := bytes.Repeat([]byte{128}, 8000*seconds)
	file := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")
	file = append(binary.LittleEndian.AppendUint32(file, uint32(len(sound))), sound...)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), file, 0o600))
}

// cmdMounted mounts a small file system on a folder: mounted DIR SIZE.
func cmdMounted(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mounted DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tonprobe-test", dir).CombinedOutput()
	if err != nil {
		ts.Fatalf("mount: %s", out)
	}
	ts.Defer(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			ts.Logf("umount: %s", out)
		}
	})
}

// cmdReadOnly makes a mounted folder read-only: readonly DIR.
func cmdReadOnly(ts *testscript.TestScript, neg bool, args []string) {
	out, err := exec.Command("mount", "-o", "remount,ro", ts.MkAbs(args[0])).CombinedOutput()
	if err != nil {
		ts.Fatalf("remount: %s", out)
	}
}

// cmdFill writes to a folder until its file system is full.
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.Create(filepath.Join(ts.MkAbs(args[0]), "ballast"))
	ts.Check(err)
	for _, size := range []int{4096, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	_ = f.Close()
}

// TestFullDisk runs the scripts that need a small file system.
func TestFullDisk(t *testing.T) {
	need.Root(t, "a small file system")
	if runtime.GOOS != "linux" || !canMount(t) {
		need.Lack(t, "Linux and the right to mount", os.ErrPermission)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/root",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TONPROBE_LANG", "en")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stub": cmdStub, "status": cmdStatus, "fill": cmdFill, "mounted": cmdMounted,
			"readonly": cmdReadOnly, "refuse": cmdRefuse, "stored": cmdStored,
		},
		RequireExplicitExec: true,
	})
}

func canMount(t *testing.T) bool {
	dir := t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "tonprobe-test", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
}
