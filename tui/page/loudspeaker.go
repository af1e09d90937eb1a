package page

// Loudspeaker is the test of the loudspeaker: a tone that somebody agreed to.
type Loudspeaker struct {
	Offered bool
	On      bool
}

// Toggle switches the test on or off where it is offered.
func (l Loudspeaker) Toggle() Loudspeaker {
	l.On = l.Offered && !l.On
	return l
}

// blocks are a box to tick and a word on when to leave it.
func (l Loudspeaker) blocks(s Sheet) []Block {
	if !l.Offered {
		return nil
	}
	box := "[ ] "
	look := s.Style.Text
	if l.On {
		box, look = "[x] ", s.Style.Strong
	}
	text := look.Render(hanging(box, s.Words.T("loudspeaker.option"), s.content()))
	advice := s.Style.Quiet.Render(indent(wrap(s.Words.T("loudspeaker.advice"), s.content()-4), 4))
	return []Block{{Text: text}, {Text: advice, Close: true, Spare: 2}}
}
