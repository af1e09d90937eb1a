package trust

import (
	"crypto/x509"
	"slices"
	"strings"
)

// Inspector is the kind of product that intercepts TLS for inspection.
type Inspector string

// Kinds of inspectors. NoInspector means that no name was recognised, which proves nothing.
const (
	NoInspector Inspector = ""
	// InNetwork is a firewall or proxy of an organisation.
	InNetwork Inspector = "network"
	// OnComputer is a virus scanner or similar program on this computer.
	OnComputer Inspector = "scanner"
)

// networkInspectors and computerInspectors return the names, in lower case, by which inspectors
// are recognised in the issuer of the certificates that they create.
func networkInspectors() []string {
	return []string{
		"fortinet", "fortigate", "zscaler", "sophos", "palo alto", "blue coat", "bluecoat", "netskope", "barracuda", "watchguard",
		"sonicwall", "check point", "checkpoint", "cisco umbrella", "cisco secure access", "forcepoint", "websense", "mitmproxy",
		"squid", "smoothwall", "lancom", "securepoint", "stormshield", "clavister", "genugate", "iboss", "lightspeed", "securly",
		"contentkeeper", "untangle", "opnsense", "pfsense", "sangfor", "menlo security", "cato networks", "hillstone", "skyhigh",
		"mcafee web gateway", "trend micro web security", "gateway ca - cloudflare", "cloudflare for teams", "kerio control",
		"endian firewall", "ipfire", "linewize", "goguardian", "symantec web security", "ssl inspection", "tls inspection", "https inspection",
	}
}

func computerInspectors() []string {
	return []string{
		"kaspersky", "eset ssl filter", "bitdefender", "avast", "avg web", "avg technologies", "g data", "norton web", "mcafee web shield",
		"adguard", "fiddler", "charles proxy", "portswigger", "netfilter", "dr.web", "bullguard", "emsisoft", "qustodio", "net nanny",
		"k9 web protection", "covenant eyes", "superfish", "vipre", "zonealarm", "comodo internet security", "malwarebytes", "f-secure",
	}
}

// KnownInspector searches the issuer for the name of a known product. NoInspector does
// not prove that there is none.
func KnownInspector(chain []*x509.Certificate) Inspector {
	if len(chain) == 0 {
		return NoInspector
	}
	issuer := strings.ToLower(chain[0].Issuer.String())
	has := func(name string) bool { return strings.Contains(issuer, name) }
	switch {
	case slices.ContainsFunc(computerInspectors(), has):
		return OnComputer
	case slices.ContainsFunc(networkInspectors(), has):
		return InNetwork
	}
	return NoInspector
}
