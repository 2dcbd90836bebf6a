package column

// Place is a place in the history of a partition's stored values.
type Place struct {
	// Cursor is the log sequence up to which they are complete, Revision tells commits apart that leave it as it is.
	Cursor, Revision uint64
}

// Later returns the later one of two places.
func (p Place) Later(o Place) Place {
	if o.Cursor > p.Cursor || o.Cursor == p.Cursor && o.Revision > p.Revision {
		return o
	}

	return p
}
