package report

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// outlineOf returns the outline according to encoding/json.
func outlineOf(b []byte) (o outline, err error) {
	err = json.Unmarshal(b, &o)
	return o, err
}

func TestOutlineOfAnEncodedReportIsScanned(t *testing.T) {
	doc, err := full(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(json.RawMessage(doc), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := outlineOf(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{doc, indented} {
		if got, ok := scanOutline(b); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got ok %v, %+v; want %+v", ok, got, want)
		}
	}
}

// ambiguous contains documents that only encoding/json interprets correctly.
var ambiguous = []string{
	`{"schema":"x","schema":"tonprobe.report/v1","probes":[]}`,
	`{"schema":"tonprobe.report/v1","probes":[{"name":"nat","data":{}}],"probes":[{"data":null}]}`,
	`{"schema":"tonprobe.report/v1","probes":[],"PROBES":[{"name":"nat"}]}`,
	`{"Schema":"tonprobe.report/v1","probes":[]}`,
	`{"schema":"tonprobe.report/v1","probe\u017f":[{"name":"nat"}],"probes":[]}`,
	`{"schema":"tonprobe.report/v1","probeſ":[{"name":"nat"}],"probes":[]}`,
	`{"schema":"tonprobe.report\/v1","probes":[]}`,
	`{"schema":"tonprobe.report/v1","probes":[{"name":"nat","Name":"host.load","data":{}}]}`,
	`{"schema":"tonprobe.report/v1","probes":[{"name":"n\u0061t","data":{}}]}`,
	`{"schema":"tonprobe.report/v1","probes":[{"name":"nat","data":{},"data":null}]}`,
	`{"schema":"tonprobe.report/v1","probes":[{"data":{}}]}`,
	`{"schema":"tonprobe.report/v1","probes":[null]}`,
	`{"schema":"tonprobe.report/v1","probes":null}`,
	`{"schema":"tonprobe.report/v1"}`,
	`{"schema":7,"probes":[]}`,
	`[]`,
	``,
}

func TestAmbiguousOutlinesAreNotScanned(t *testing.T) {
	for _, doc := range ambiguous {
		if o, ok := scanOutline([]byte(doc)); ok {
			t.Errorf("%s: got %+v, want none", doc, o)
		}
	}
}

// FuzzOutline compares both implementations.
func FuzzOutline(f *testing.F) {
	for _, doc := range ambiguous {
		f.Add([]byte(doc))
	}
	doc, err := full(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte(strings.ReplaceAll(` { "schema" : "tonprobe.report/v1" , "x" : [ 1 , { } , "\"]" ] , "probes" : [ { "data" : null , "name" : "nat" } ] } `, " ", "\t")))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := scanOutline(b)
		if !ok || !json.Valid(b) {
			return // encoding/json decides
		}
		want, err := outlineOf(b)
		for i := range got.Probes {
			// encoding/json replaces invalid UTF-8, which no name of a probe contains.
			got.Probes[i].Name = strings.ToValidUTF8(got.Probes[i].Name, "\ufffd")
		}
		if len(want.Probes) == 0 {
			want.Probes = nil
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v, error %v", b, got, want, err)
		}
	})
}
