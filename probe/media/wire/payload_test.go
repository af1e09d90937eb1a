package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
)

var goldenDown = Down{
	Seq: 7, SentNS: 5_000_001_000, UpSeq: 5, UpSentNS: 100_000_000,
	UpArrivedNS: 5_000_000_000, UpUnique: 4, Duplicate: true,
}

func TestGoldenBytes(t *testing.T) {
	up, err := AppendUp(nil, Up{Seq: 0x01020304, SentNS: 20_000_000}, 20)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(up), "54500101"+"01020304"+"0000000001312d00"+"00000000"; got != want {
		t.Errorf("got up   %s\nwant    %s", got, want)
	}
	down, err := AppendDown(nil, goldenDown, 46)
	if err != nil {
		t.Fatal(err)
	}
	want := "54500102" + "00000007" + "000000012a05f5e8" + "00000005" + "0000000005f5e100" +
		"000000012a05f200" + "00000004" + "01000000" + "0000"
	if got := hex.EncodeToString(down); got != want {
		t.Errorf("got down %s\nwant    %s", got, want)
	}
	if goldenDown.TurnaroundNS() != 1000 {
		t.Errorf("got a turnaround of %d ns, want 1000", goldenDown.TurnaroundNS())
	}
}

func TestPayloadRoundTripAtEverySize(t *testing.T) {
	up := Up{Seq: math.MaxUint32, SentNS: MaxStampNS}
	for _, size := range []int{UpHeaderBytes, UpHeaderBytes + 1, DefaultBytes, MaxBytes} {
		b, err := AppendUp([]byte("before"), up, size)
		if err != nil || len(b) != size+6 || string(b[:6]) != "before" {
			t.Fatalf("size %d: got %d bytes, error %v, want %d after those of dst", size, len(b), err, size)
		}
		if got, err := ParseUp(b[6:]); err != nil || got != up {
			t.Errorf("size %d: got %+v, error %v; want %+v", size, got, err, up)
		}
	}
	for _, size := range []int{DownHeaderBytes, DefaultBytes, MaxBytes} {
		b, err := AppendDown(nil, goldenDown, size)
		if err != nil || len(b) != size {
			t.Fatalf("size %d: got %d bytes, error %v; want %d", size, len(b), err, size)
		}
		if got, err := ParseDown(b); err != nil || got != goldenDown {
			t.Errorf("size %d: got %+v, error %v; want %+v", size, got, err, goldenDown)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	dst := []byte("kept")
	for name, c := range map[string]struct {
		write func() ([]byte, error)
		want  error
	}{
		"up under header":     {func() ([]byte, error) { return AppendUp(dst, Up{}, UpHeaderBytes-1) }, ErrSize},
		"up over limit":       {func() ([]byte, error) { return AppendUp(dst, Up{}, MaxBytes+1) }, ErrSize},
		"up negative size":    {func() ([]byte, error) { return AppendUp(dst, Up{}, -1) }, ErrSize},
		"up stamp":            {func() ([]byte, error) { return AppendUp(dst, Up{SentNS: -1}, 80) }, ErrStamp},
		"down under header":   {func() ([]byte, error) { return AppendDown(dst, Down{}, DownHeaderBytes-1) }, ErrSize},
		"down over limit":     {func() ([]byte, error) { return AppendDown(dst, Down{}, MaxBytes+1) }, ErrSize},
		"sent before arrival": {func() ([]byte, error) { return AppendDown(dst, Down{UpArrivedNS: 1}, 80) }, ErrStamp},
	} {
		b, err := c.write()
		if !errors.Is(err, c.want) || string(b) != "kept" {
			t.Errorf("%s: got %q, error %v; want %v", name, b, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	up, _ := AppendUp(nil, Up{Seq: 1, SentNS: 2}, DefaultBytes)
	down, _ := AppendDown(nil, goldenDown, DefaultBytes)
	set := func(b []byte, at int, v byte) []byte { b = bytes.Clone(b); b[at] = v; return b }
	parseUp := func(b []byte) error { _, err := ParseUp(b); return err }
	parseDown := func(b []byte) error { _, err := ParseDown(b); return err }
	for name, c := range map[string]struct {
		parse func([]byte) error
		b     []byte
		want  error
	}{
		"nothing":             {parseUp, nil, ErrSize},
		"truncated up":        {parseUp, up[:UpHeaderBytes-1], ErrSize},
		"truncated down":      {parseDown, down[:DownHeaderBytes-1], ErrSize},
		"oversize":            {parseUp, append(up, make([]byte, MaxBytes)...), ErrSize},
		"foreign bytes":       {parseUp, []byte("\x80\x6f RTP of somebody else"), ErrMagic},
		"next version":        {parseUp, set(up, 2, Version+1), ErrVersion},
		"own packet returned": {parseDown, up, ErrDirection},
		"echo sent back":      {parseUp, down, ErrDirection},
		"negative stamp":      {parseUp, set(up, 8, 0x80), ErrStamp},
		"stamp past limit":    {parseUp, set(up, 8, 0x20), ErrStamp},
		"sent before arrival": {parseDown, set(down, 28, 0x08), ErrStamp},
		"up stamp negative":   {parseDown, set(down, 20, 0xff), ErrStamp},
	} {
		if err := c.parse(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
	}
}

func TestPayloadDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, MaxBytes)
	foreign := []byte("\x80\x6f\x00\x00 somebody else")
	if n := testing.AllocsPerRun(100, func() {
		up, _ := AppendUp(buf, Up{Seq: 1}, DefaultBytes)
		_, _ = ParseUp(up)
		_, _ = ParseUp(foreign)
		down, _ := AppendDown(buf, goldenDown, DefaultBytes)
		_, _ = ParseDown(down)
	}); n != 0 {
		t.Errorf("got %v allocations per packet, want none", n)
	}
}

func FuzzParseUp(f *testing.F) {
	seed, _ := AppendUp(nil, Up{Seq: 1, SentNS: 2}, DefaultBytes)
	f.Add(seed)
	f.Add(seed[:UpHeaderBytes])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseUp(b)
		if err != nil {
			return
		}
		again, err := AppendUp(nil, p, len(b))
		if err != nil || !bytes.Equal(again[:UpHeaderBytes], b[:UpHeaderBytes]) {
			t.Errorf("%x was parsed as %+v and encoded as %x, error %v", b, p, again, err)
		}
	})
}

func FuzzParseDown(f *testing.F) {
	seed, _ := AppendDown(nil, goldenDown, DefaultBytes)
	f.Add(seed)
	f.Add(seed[:DownHeaderBytes])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseDown(b)
		if err != nil {
			return
		}
		if p.TurnaroundNS() < 0 {
			t.Errorf("a turnaround of %d ns was accepted", p.TurnaroundNS())
		}
		again, err := AppendDown(nil, p, len(b))
		if err != nil || !bytes.Equal(again[:40], b[:40]) {
			t.Errorf("%x was parsed as %+v and encoded as %x, error %v", b, p, again, err)
		}
	})
}

func BenchmarkDown(b *testing.B) {
	buf := make([]byte, 0, MaxBytes)
	b.ReportAllocs()
	for b.Loop() {
		down, _ := AppendDown(buf, goldenDown, DefaultBytes)
		_, _ = ParseDown(down)
	}
}
