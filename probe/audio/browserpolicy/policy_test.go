package browserpolicy

import "testing"

func TestBlocks(t *testing.T) {
	for name, c := range map[string]struct {
		browser Browser
		host    string
		want    bool
	}{
		"no policy":                     {Browser{}, "bbb.example.org", false},
		"forbidden":                     {Browser{Forbidden: true}, "bbb.example.org", true},
		"forbidden, no host":            {Browser{Forbidden: true}, "", true},
		"an exception":                  {Browser{Forbidden: true, Allowed: []string{"https://bbb.example.org"}}, "bbb.example.org", false},
		"an exception, with a path":     {Browser{Forbidden: true, Allowed: []string{"https://bbb.example.org:443/x"}}, "BBB.example.org", false},
		"an exception for the domain":   {Browser{Forbidden: true, Allowed: []string{"https://[*.]example.org"}}, "bbb.example.org", false},
		"the domain itself":             {Browser{Forbidden: true, Allowed: []string{"[*.]example.org"}}, "example.org", false},
		"an exception for all":          {Browser{Forbidden: true, Allowed: []string{"*"}}, "bbb.example.org", false},
		"an exception for another host": {Browser{Forbidden: true, Allowed: []string{"https://meet.example.org"}}, "bbb.example.org", true},
		"a similar name":                {Browser{Forbidden: true, Allowed: []string{"https://[*.]ample.org"}}, "bbb.example.org", true},
		"an exception, unknown host":    {Browser{Forbidden: true, Allowed: []string{"https://meet.example.org"}}, "", false},
		"one page is blocked":           {Browser{Blocked: []string{"https://bbb.example.org"}}, "bbb.example.org", true},
		"another page is blocked":       {Browser{Blocked: []string{"https://bbb.example.org"}}, "meet.example.org", false},
		"a page is blocked, no host":    {Browser{Blocked: []string{"https://bbb.example.org"}}, "", false},
		"IPv6":                          {Browser{Forbidden: true, Allowed: []string{"https://[2001:db8::1]:8443"}}, "[2001:db8::1]", false},
	} {
		if got := c.browser.Blocks(c.host); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
