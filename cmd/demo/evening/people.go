// Package evening is one made-up evening of a council: its members, and what their checks find
// within two minutes. The checks have the data that real ones would have, and are diagnosed by
// the rules of package diagnose.
//
// Nothing in it can be mistaken for a real person, town or provider: family names are words for
// examples, telephone numbers are reserved for films (Bundesnetzagentur, 030 23125 000 to 999),
// addresses for tests of devices (RFC 2544, 198.18.0.0/15) and for examples (RFC 5737), and the
// numbers of the providers for documentation (RFC 5398).
package evening

import (
	"fmt"
	"net/netip"
)

// Size is the number of members.
const Size = 60

// Person is one member of the council.
type Person struct {
	Name, Phone string
	// Network is the public network of the person's line.
	Network netip.Prefix
	// OS and Arch are those of the computer, as Go names them.
	OS, Arch string
	// Wired is set for a computer without Wi-Fi.
	Wired bool
}

// Providers is a table of the made-up providers, in the form of fleet.ReadProviders.
const Providers = "198.18.0.0\t198.18.127.255\t64496\tZZ\tBeispiel-Netz Nord\n" +
	"198.18.128.0\t198.18.255.255\t64497\tZZ\tBeispiel-Netz Mitte\n" +
	"198.19.0.0\t198.19.255.255\t64498\tZZ\tBeispiel-Netz Süd\n" +
	"203.0.113.0\t203.0.113.255\t64499\tZZ\tBeispiel-Stadtnetz\n"

// DisturbedProvider is the name of the provider with a fault on this evening.
const DisturbedProvider = "AS64498 Beispiel-Netz Süd"

// The members are numbered from 0. The provider in the south has those from firstSouth on.
const (
	firstInHall = 46 // they take part from the town hall
	firstSouth  = 52
)

// People returns the members of the council.
func People() []Person {
	given := [...]string{"Ada", "Bruno", "Cora", "Dirk", "Elsa", "Falk", "Gerda", "Hugo", "Ines", "Jan"}
	family := [...]string{"Beispiel", "Musterperson", "Probe", "Vorlage", "Platzhalter", "Attrappe"}
	systems := [...][2]string{{"windows", "amd64"}, {"windows", "amd64"}, {"windows", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}}
	all := make([]Person, Size)
	for i := range all {
		system := systems[i%len(systems)]
		all[i] = Person{
			Name:    given[i%len(given)] + " " + family[i/len(given)],
			Phone:   fmt.Sprintf("030 23125 %03d", i+1),
			Network: network(i),
			OS:      system[0], Arch: system[1], Wired: i%4 == 1 || i >= firstInHall && i < firstSouth,
		}
	}
	return all
}

// network returns the network of a member's line. Each home has its own.
func network(i int) netip.Prefix {
	a := [4]byte{198, 18, byte(i), 0}
	switch {
	case i >= firstSouth:
		a[1] = 19
	case i >= firstInHall:
		a = [4]byte{203, 0, 113, 0}
	case i%2 == 1:
		a[2] += 128
	}
	return netip.PrefixFrom(netip.AddrFrom4(a), 24)
}
