package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hale.dev/services/internal/wire"
)

const (
	// layout is the version of the stored form.
	layout = 1
	// maxSpells bounds a user's accounts; the oldest go first.
	maxSpells = 64
	// maxHops bounds how many merges in a row are followed.
	maxHops = 8
)

// errLayout is returned for an entry that a later version wrote.
var errLayout = errors.New("written in a layout this version does not know")

// spell says that a user belongs to an account from a time on, until the next spell begins.
type spell struct {
	// Account the user belongs to.
	Account string `json:"account"`
	// Since is when, microseconds since the epoch.
	Since int64 `json:"since"`
}

// record is what is stored of a user.
type record struct { //nolint:recvcheck // a value, but for what changes it
	Layout int `json:"v"`
	// User this is about, for people who look into the bucket.
	User string `json:"user"`
	// Into is the user that this one was merged into; empty: none.
	Into string `json:"into,omitempty"`
	// Spells by time.
	Spells []spell `json:"accounts,omitempty"`
	// Unsettled: accounts were added, and events that waited for them may not have been sent again yet.
	Unsettled bool `json:"unsettled,omitempty"`
}

// Key is the name of a user in the bucket: a hash, so that ids may hold anything.
func Key(workspace, user string) string {
	buf := wire.Append(make([]byte, 0, len(workspace)+len(user)+binary.MaxVarintLen64), workspace)
	buf = append(buf, user...)
	sum := sha256.Sum256(buf)

	return hex.EncodeToString(sum[:16])
}

func parseRecord(data []byte) (record, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, fmt.Errorf("reading an entry of the directory: %w", err)
	}

	if r.Layout != layout {
		return record{}, fmt.Errorf("reading an entry of the directory: %w: %d", errLayout, r.Layout)
	}

	return r, nil
}

func (r record) bytes() ([]byte, error) {
	r.Layout = layout

	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing an entry of the directory: %w", err)
	}

	return data, nil
}

// clone returns a copy that shares nothing.
func (r record) clone() record {
	r.Spells = slices.Clone(r.Spells)

	return r
}

// at returns the account at that time. A time before the first spell belongs to it too: what a user did before an
// account was named for them has nowhere else to go.
func (r record) at(t int64) (string, bool) {
	if len(r.Spells) == 0 {
		return "", false
	}

	return r.Spells[max(0, r.after(t)-1)].Account, true
}

// after returns the index of the first spell that begins after t.
func (r record) after(t int64) int {
	i, _ := slices.BinarySearchFunc(r.Spells, t, func(s spell, t int64) int {
		if s.Since <= t {
			return -1
		}

		return 1
	})

	return i
}

// add adds a spell and says whether that changed anything. Of two that begin at once the later call wins.
func (r *record) add(account string, since int64) bool {
	i := r.after(since)

	switch {
	case i > 0 && r.Spells[i-1].Account == account:
		return false
	case i > 0 && r.Spells[i-1].Since == since:
		r.Spells[i-1].Account = account
	case i < len(r.Spells) && r.Spells[i].Account == account:
		r.Spells[i].Since = since
	default:
		r.Spells = slices.Insert(r.Spells, i, spell{Account: account, Since: since})
	}

	r.trim()

	return true
}

// merge adds another user's spells and says whether that changed anything.
func (r *record) merge(o record) bool {
	changed := false
	for _, s := range o.Spells {
		changed = r.add(s.Account, s.Since) || changed
	}

	return changed
}

// trim joins neighbours of the same account and forgets the oldest beyond the bound.
func (r *record) trim() {
	r.Spells = slices.CompactFunc(r.Spells, func(a, b spell) bool { return a.Account == b.Account })
	if n := len(r.Spells) - maxSpells; n > 0 {
		r.Spells = slices.Delete(r.Spells, 0, n)
	}
}
