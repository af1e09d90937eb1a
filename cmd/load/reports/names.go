package reports

// Names of participants: 50 first names and 200 family names, so that a search for
// either has many results, and one for both has one or few.
var (
	firstNames = []string{"Anna", "Bernd", "Christa", "Dieter", "Elke", "Frank", "Gisela", "Hans", "Ingrid", "Jörg",
		"Karin", "Ludwig", "Monika", "Norbert", "Olga", "Peter", "Renate", "Stefan", "Ursula", "Volker",
		"Aylin", "Björn", "Chiara", "Deniz", "Emre", "Fatma", "Grzegorz", "Hülya", "Ivana", "Jutta",
		"Käthe", "Lena", "Mehmet", "Nadine", "Oskar", "Paul", "Rosa", "Sven", "Tanja", "Uwe",
		"Vera", "Walter", "Xenia", "Yusuf", "Zoe", "Heike", "Klaus", "Maria", "Ralf", "Sabine"}
	stems = []string{"Berg", "Stein", "Wald", "Feld", "Brück", "Hof", "Linden", "Müh", "Neu", "Ober",
		"Roth", "Schön", "Sommer", "Tal", "Unter", "Vogel", "Weber", "Winter", "Ziegel", "Acker"}
	endings = []string{"mann", "er", "meyer", "bauer", "bach", "hausen", "ing", "lich", "sen", "kamp"}
)

func nameOf(i int) string {
	first := firstNames[i%len(firstNames)]
	i /= len(firstNames)
	return first + " " + stems[i%len(stems)] + endings[i/len(stems)%len(endings)]
}
