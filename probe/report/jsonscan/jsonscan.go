// Package jsonscan finds the parts of a JSON document without decoding it, several
// times faster than encoding/json. It does not check the syntax: the caller must decode
// the parts that it uses. Input that it does not recognise, such as a name with an
// escape, is left to encoding/json.
package jsonscan

import "bytes"

// Scanner reads through a document. Its methods return false if the document does not
// continue as requested; the scanner must not be used afterwards.
type Scanner struct {
	text []byte
	at   int
}

// New returns a scanner at the beginning of a document.
func New(text []byte) *Scanner { return &Scanner{text: text} }

// Object visits the members of an object. member must consume the value by one of the
// other methods.
func (s *Scanner) Object(member func(name []byte) bool) bool {
	return s.list('{', '}', func() bool {
		name, ok := s.String()
		return ok && s.take(':') && member(name)
	})
}

// Array visits the elements of an array. element must consume the element.
func (s *Scanner) Array(element func() bool) bool { return s.list('[', ']', element) }

func (s *Scanner) list(first, last byte, entry func() bool) bool {
	if !s.take(first) {
		return false
	}
	if s.take(last) {
		return true
	}
	for entry() {
		if !s.take(',') {
			return s.take(last)
		}
	}
	return false
}

// String consumes a string and returns what is between its quotes.
func (s *Scanner) String() (inner []byte, ok bool) {
	if !s.take('"') {
		return nil, false
	}
	length := bytes.IndexByte(s.text[s.at:], '"')
	if length < 0 {
		return nil, false
	}
	inner = s.text[s.at : s.at+length]
	s.at += length + 1
	return inner, bytes.IndexByte(inner, '\\') < 0
}

// Value consumes a value of any kind and returns it.
func (s *Scanner) Value() (value []byte, ok bool) {
	s.blanks()
	begin, depth := s.at, 0
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '"':
			if !s.skipString() {
				return nil, false
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of the enclosing list
				return s.text[begin:s.at], s.at > begin
			}
			depth--
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return s.text[begin:s.at], s.at > begin
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			s.at++
			return s.text[begin:s.at], true
		}
	}
	return s.text[begin:], depth == 0 && s.at > begin
}

// skipString moves from the opening quote of a string to the closing one.
func (s *Scanner) skipString() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '"':
			return true
		case '\\':
			s.at++
		}
	}
	return false
}

// End reports whether nothing follows.
func (s *Scanner) End() bool {
	s.blanks()
	return s.at == len(s.text)
}

// take consumes a character if it is the next one.
func (s *Scanner) take(c byte) bool {
	s.blanks()
	if s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

// blanks skips white space (RFC 8259 §2).
func (s *Scanner) blanks() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}
