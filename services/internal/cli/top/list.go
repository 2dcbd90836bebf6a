package top

// list is a cursor in a list that changes under it.
type list struct {
	at  int    // the row that is chosen
	top int    // the first row that is seen
	id  string // what is chosen
}

// keep puts the cursor back on what was chosen, in a list of n rows of which height are seen.
func (l *list) keep(n int, id func(int) string, height int) {
	for i := range n {
		if id(i) == l.id {
			l.at = i

			break
		}
	}

	l.to(l.at, n, id, height)
}

// to moves the cursor to a row, or the nearest there is.
func (l *list) to(at, n int, id func(int) string, height int) {
	l.at = max(min(at, n-1), 0)

	l.id = ""
	if n > 0 {
		l.id = id(l.at)
	}

	height = max(height, 1)
	l.top = max(min(l.top, l.at, max(n-height, 0)), l.at-height+1, 0)
}
