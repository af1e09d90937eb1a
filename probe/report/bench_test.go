package report

import "testing"

// BenchmarkDecode reads a report in which every field of every probe is set.
func BenchmarkDecode(b *testing.B) {
	doc, err := full(b).Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(doc); err != nil {
			b.Fatal(err)
		}
	}
}
