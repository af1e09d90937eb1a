package collector

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestSupportPhone(t *testing.T) {
	for name, c := range map[string]struct {
		header []string
		want   string
		told   bool
	}{
		"number":          {[]string{"0228 5550100"}, "0228 5550100", true},
		"removed":         {[]string{""}, "", true},
		"older collector": {nil, "", false},
		"no number":       {[]string{"<script>"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.header != nil {
					w.Header()[wire.HeaderSupportPhone] = c.header
				}
			}))
			t.Cleanup(s.Close)
			got, told := "", false
			e := &Endpoint{URL: s.URL, SupportPhone: func(phone string) { got, told = phone, true }}
			resp, err := e.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got != c.want || told != c.told {
				t.Errorf("got %q, reported %v; want %q, %v", got, told, c.want, c.told)
			}
		})
	}
}
