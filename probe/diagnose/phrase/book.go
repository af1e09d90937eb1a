package phrase

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Book is the texts of one package in one language. It does not change after
// Load and is safe for concurrent use.
type Book struct {
	lang  Lang
	texts map[string]string
}

// Load reads "<lang>.toml" at the root of fsys. Nested tables become keys
// joined by "."; every value must be a string that is not empty.
func Load(fsys fs.FS, lang Lang) (*Book, error) {
	name := string(lang) + ".toml"
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read texts %s: %w", name, err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("parse texts %s: %w", name, err)
	}
	b := &Book{lang: lang, texts: map[string]string{}}
	if err := b.add("", tree); err != nil {
		return nil, fmt.Errorf("texts %s: %w", name, err)
	}
	return b, nil
}

func (b *Book) add(prefix string, tree map[string]any) error {
	for name, v := range tree {
		key := prefix + name
		switch v := v.(type) {
		case string:
			if strings.TrimSpace(v) == "" {
				return fmt.Errorf("%s is empty", key)
			}
			if _, twice := b.texts[key]; twice {
				return fmt.Errorf("%s is defined twice", key)
			}
			b.texts[key] = v
		case map[string]any:
			if err := b.add(key+".", v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is a %T, want a string", key, v)
		}
	}
	return nil
}

// Lang returns the language of the book.
func (b *Book) Lang() Lang { return b.lang }

// Has reports whether the book has a text for key.
func (b *Book) Has(key string) bool {
	_, ok := b.texts[key]
	return ok
}

// Keys returns the keys of all texts, sorted.
func (b *Book) Keys() []string { return slices.Sorted(maps.Keys(b.texts)) }

// T returns the text of key with its {placeholders} replaced; args are pairs of name
// and value. A missing key yields "‹key›", which is visible and never leaves the screen
// empty. A placeholder without an arg remains as it is. {Braces} in a value are not
// expanded again.
func (b *Book) T(key string, args ...any) string {
	text, ok := b.texts[key]
	if !ok {
		return "‹" + key + "›"
	}
	if len(args) == 0 {
		return text
	}
	if len(args) == 2 { // the usual case, without the tables of a Replacer
		return strings.ReplaceAll(text, fmt.Sprintf("{%v}", args[0]), fmt.Sprint(args[1]))
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
