package proxy

import (
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

// environment is the proxy configuration in environment variables, as used by curl
// and many other programs.
type environment struct{ httpproxy.Config }

func fromEnvironment(getenv func(string) string) environment {
	either := func(names ...string) string {
		for _, name := range names {
			if v := getenv(name); v != "" {
				return v
			}
		}
		return ""
	}
	// As in curl, ALL_PROXY applies if the specific variable is not set.
	return environment{httpproxy.Config{
		HTTPProxy:  either("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
		HTTPSProxy: either("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
		NoProxy:    either("NO_PROXY", "no_proxy"),
	}}
}

func (e environment) set() bool { return e.HTTPProxy != "" || e.HTTPSProxy != "" }

// choose ignores a variable that cannot be parsed: a typing error must not prevent
// a report from reaching its collector.
func (e environment) choose(u *url.URL) ([]*url.URL, error) {
	p, err := e.ProxyFunc()(u)
	if err != nil {
		return []*url.URL{nil}, nil
	}
	return []*url.URL{p}, nil
}
