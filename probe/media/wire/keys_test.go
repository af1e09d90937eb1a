package wire

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
)

func signer(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func TestKeysAreSigned(t *testing.T) {
	pin, err := PinOfKey(signer(7).Public())
	if err != nil {
		t.Fatal(err)
	}
	said := Keys{Leaf: []string{pin}, CA: []string{pin, pin}}
	header, err := said.Sign(signer(1), "nonce-1")
	if err != nil {
		t.Fatal(err)
	}
	got, ok := ParseKeys(header, "nonce-1")
	if !ok || len(got.Leaf) != 1 || got.Leaf[0] != pin || len(got.CA) != 2 || got.Collector == "" {
		t.Fatalf("got %+v, ok %t; want one key of the leaf and two of CAs", got, ok)
	}
	other, err := said.Sign(signer(2), "nonce-1")
	if err != nil {
		t.Fatal(err)
	}
	body, _, _ := strings.Cut(header, ".")
	_, foreign, _ := strings.Cut(other, ".")
	long, err := Keys{Leaf: make([]string, maxKeys+1)}.Sign(signer(1), "nonce-1")
	if err != nil {
		t.Fatal(err)
	}
	odd, err := Keys{Leaf: []string{"x"}}.Sign(signer(1), "nonce-1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"another nonce":         {header, "nonce-2"},
		"no nonce":              {header, ""},
		"a foreign signature":   {body + "." + foreign, "nonce-1"},
		"no signature":          {body, "nonce-1"},
		"changed":               {"A" + header[1:], "nonce-1"},
		"nothing":               {"", "nonce-1"},
		"too many keys":         {long, "nonce-1"},
		"a key that is no hash": {odd, "nonce-1"},
	} {
		if k, ok := ParseKeys(c[0], c[1]); ok {
			t.Errorf("%s: got %+v, want none", name, k)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	good, err := Keys{}.Sign(signer(1), "n")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "n")
	f.Add("e30.AA", "n")
	f.Add(strings.Repeat("A", 8000)+".A", "n")
	f.Fuzz(func(t *testing.T, header, nonce string) {
		if k, ok := ParseKeys(header, nonce); ok && (k.Collector == "" || len(k.Leaf) > maxKeys) {
			t.Fatalf("got %+v, want a collector and at most %d keys", k, maxKeys)
		}
	})
}
