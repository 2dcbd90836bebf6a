package health

import "strings"

const (
	maxUsers       = 65_536
	maxRoles       = 1_000
	maxAliases     = 65_536
	roleOfChampion = "champion"
)

// user is a person of the account. Aliases of one person are one user, under the least of their ids.
type user struct {
	seen uint64 // bit i: seen on day last-i
	last Day    // noDay: never seen
	out  bool   // outside the sample; kept for its role
	more *userMore
}

// userMore holds what few users have.
type userMore struct {
	role     string
	roleAt   stamp
	champion Time // of the earliest event that made this user a champion; noTime: none
	nps      uint8
	npsAt    stamp
}

// after returns how many days d is after another that is not after it.
func after(d, other Day) uint64 { return uint64(d - other) } //nolint:gosec // not negative

// see notes that the user was seen on a day; false where that was known.
func (u *user) see(d Day) bool {
	if u.last == noDay {
		u.last, u.seen = d, 1
		return true
	}
	if d > u.last {
		u.seen = u.seen<<after(d, u.last) | 1
		u.last = d
		return true
	}
	bit := uint64(1) << after(u.last, d)
	if u.seen&bit != 0 || bit == 0 {
		return false
	}
	u.seen |= bit
	return true
}

// days returns the days the user was seen, bit i for today-i.
func (u *user) days(today Day) uint64 {
	if u.last == noDay {
		return 0
	}
	if u.last > today {
		return u.seen >> after(u.last, today)
	}
	return u.seen << after(today, u.last)
}

// stale says whether the user can be forgotten: no event since the day old, and no role.
func (u *user) stale(old Day) bool {
	if u.last > old || u.more == nil {
		return u.last <= old
	}
	return u.more.role == "" && DayOf(u.more.npsAt.time) <= old && DayOf(u.more.roleAt.time) <= old
}

func (u *user) role() string {
	if u.more == nil {
		return ""
	}
	return u.more.role
}

// extra returns the rarely used part, made if need be.
func (u *user) extra() *userMore {
	if u.more == nil {
		u.more = &userMore{champion: noTime}
	}
	return u.more
}

// setRole sets the role unless a later event has; false where nothing changed.
func (u *user) setRole(role string, at stamp) bool {
	m := u.extra()
	changed := false
	if role == roleOfChampion && (m.champion == noTime || at.time < m.champion) {
		m.champion, changed = at.time, true
	}
	if at.beats(m.roleAt) {
		m.role, m.roleAt, changed = strings.Clone(role), at.keep(), true
	}
	return changed
}

// answer sets the nps answer unless a later event has; false where nothing changed.
func (u *user) answer(score uint8, at stamp) bool {
	m := u.extra()
	if !at.beats(m.npsAt) {
		return false
	}
	m.nps, m.npsAt = score, at.keep()
	return true
}

// join merges another user into this one.
func (u *user) join(o *user) {
	switch {
	case o.last == noDay:
	case u.last == noDay:
		u.last, u.seen = o.last, o.seen
	case u.last >= o.last:
		u.seen |= o.seen << after(u.last, o.last)
	default:
		u.seen = o.seen | u.seen<<after(o.last, u.last)
		u.last = o.last
	}
	if o.more == nil {
		return
	}
	m := u.extra()
	if o.more.roleAt.beats(m.roleAt) {
		m.role, m.roleAt = o.more.role, o.more.roleAt
	}
	if o.more.npsAt.beats(m.npsAt) {
		m.nps, m.npsAt = o.more.nps, o.more.npsAt
	}
	if m.champion == noTime || (o.more.champion != noTime && o.more.champion < m.champion) {
		m.champion = o.more.champion
	}
}

// alias says that an id is another id of the user `to`, which may be an alias itself. An id is
// always greater than what it points to, so there are no cycles.
type alias struct {
	to  string
	day Day // of the latest event that joined them
}

// root returns the id under which a user is kept.
func (a *Account) root(id string) string {
	if a.aliases.count == 0 {
		return id
	}
	first, _ := a.aliases.find(id)
	if first == nil {
		return id
	}
	root := first.to
	for next, _ := a.aliases.find(root); next != nil; next, _ = a.aliases.find(root) {
		root = next.to
	}
	for id != root { // point all of the chain to the root
		link, p := a.aliases.find(id)
		id = link.to
		if link.to != root {
			link.to, p.dirty = root, true
		}
	}
	return root
}

// unite makes two kept ids one user.
func (a *Account) unite(x, y string, d Day) {
	if x == y {
		return
	}
	to, from := min(x, y), max(x, y)
	a.aliases.insert(from, alias{to: strings.Clone(to), day: d})
	old, ok := a.users.remove(from)
	if !ok {
		return
	}
	a.stats.valid = false
	if old.role() != "" {
		a.roles--
	}
	if old.out {
		a.outs--
	}
	u := a.user(to, old.role() != "")
	if u == nil {
		return
	}
	if u.role() != "" {
		a.roles--
	}
	u.join(&old)
	if u.role() != "" {
		a.roles++
	}
	a.thinUsers()
}

// user returns a kept user, added if need be and marked as changed; nil where it is outside the
// sample and has no role.
func (a *Account) user(root string, role bool) *user {
	u, p := a.users.find(root)
	if u != nil {
		p.dirty = true
		return u
	}
	in := a.users.in(root)
	if !in && !role {
		return nil
	}
	if !in {
		a.outs++
	}
	return a.users.insert(root, user{last: noDay, out: !in})
}

// see notes that a user was seen on a day.
func (a *Account) see(id string, d Day) {
	root := a.root(id)
	u, p := a.users.find(root)
	if u == nil {
		if !a.users.in(root) {
			return
		}
		u = a.users.insert(root, user{last: noDay})
		p = nil
	}
	before := a.stats.of(u)
	if !u.see(d) {
		return
	}
	if p != nil {
		p.dirty = true
	}
	a.stats.replace(before, a.stats.of(u))
	a.thinUsers()
}

// thinUsers halves the sample until it is inside its bound.
func (a *Account) thinUsers() {
	for a.users.count-a.outs > maxUsers {
		a.users.level++
		a.stats.valid = false
		a.outs = 0
		a.users.retain(func(id string, u *user) bool {
			if a.users.in(id) {
				return true
			}
			if u.role() == "" {
				return false
			}
			u.out = true
			a.outs++
			return true
		})
	}
}
