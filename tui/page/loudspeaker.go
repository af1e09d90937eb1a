package page

// Loudspeaker is the optional loudspeaker test.
type Loudspeaker struct {
	Offered bool
	On      bool
}

// Toggle switches the test on or off if it is offered.
func (l Loudspeaker) Toggle() Loudspeaker {
	l.On = l.Offered && !l.On
	return l
}

// blocks returns a check box and the reasons to leave it off.
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
