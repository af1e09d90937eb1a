package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestErasedAtAnotherCollector: a person erased at one collector is not imported at another one on the same
// database with its own folder, and thus with its own list of erased people. This holds for a table, and for
// OParl after a change of name.
func TestErasedAtAnotherCollector(t *testing.T) {
	address, dir := pgtest.Database(t), t.TempDir()
	name := "Anna Muster"
	var ris *httptest.Server
	ris = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, known := map[string]string{
			"/system":        `{"id":"HOST/system","type":"https://schema.oparl.org/1.1/System","oparlVersion":"https://schema.oparl.org/1.1/","body":"HOST/bodies"}`,
			"/bodies":        `{"data":[{"id":"HOST/body","name":"Musterstadt","organization":"HOST/organizations","person":"HOST/persons","meeting":"HOST/meetings"}],"links":{}}`,
			"/organizations": `{"data":[{"id":"HOST/o/1","name":"Rat","meeting":"HOST/meetings","membership":["HOST/ms/1","HOST/ms/2"]}],"links":{}}`,
			"/persons": `{"data":[{"id":"HOST/p/1","name":"` + name + `","membership":[{"id":"HOST/ms/1","organization":"HOST/o/1"}]},
				{"id":"HOST/p/2","name":"Berta Beispiel","membership":[{"id":"HOST/ms/2","organization":"HOST/o/1"}]}],"links":{}}`,
			"/meetings": `{"data":[],"links":{}}`,
		}[r.URL.Path]
		if !known {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strings.ReplaceAll(document, "HOST", ris.URL)))
	}))
	defer ris.Close()
	table := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(table, []byte("Name;Gremium\nMUSTER, Dr. Anna;Rat\nCem Neu;Rat\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(collector string, want string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		term := terminal{in: strings.NewReader(""), out: &out, err: &out, getenv: func(string) string { return "" }}
		args = append(args, "--data", filepath.Join(dir, collector), "--database-url", address)
		if got := run(t.Context(), term, args); got != exitOK || !strings.Contains(out.String(), want) {
			t.Fatalf("%q at the %s collector: got exit status %d, want 0 with %q:\n%s", args, collector, got, want, &out)
		}
		return out.String()
	}
	oparl := []string{"import", "oparl", ris.URL + "/system", "--organization", "Rat", "--allow-private"}
	command("first", "", "migrate")
	command("first", "", oparl...)
	command("second", name, "participant", "list")
	command("first", "is erased", "erase", name, "--yes")
	command("second", "was erased", "participant", "import", table)
	name = "Anna Neumann"
	command("second", name, oparl...) // names whom it leaves out
	list := command("second", "Cem Neu", "participant", "list")
	for person, want := range map[string]bool{"Berta Beispiel": true, "Anna": false, "ANNA": false, "MUSTER": false} {
		if got := strings.Contains(list, person); got != want {
			t.Errorf("got %s %v, want %v:\n%s", person, got, want, list)
		}
	}
}
