// Package phrasetest tests the texts of a package that reads them with package
// phrase.
package phrasetest

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// Books loads the texts of every language. The test fails for each key that only one
// language has, and for each text whose placeholders differ.
func Books(t testing.TB, load func(phrase.Lang) (*phrase.Book, error)) map[phrase.Lang]*phrase.Book {
	t.Helper()
	books := map[phrase.Lang]*phrase.Book{}
	for _, lang := range phrase.Langs() {
		b, err := load(lang)
		if err != nil {
			t.Fatal(err)
		}
		books[lang] = b
	}
	for _, difference := range phrase.Compare(books[phrase.DE], books[phrase.EN]) {
		t.Error(difference)
	}
	return books
}
