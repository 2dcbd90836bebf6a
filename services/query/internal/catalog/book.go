package catalog

import (
	"sort"
	"sync"
	"sync/atomic"

	"hale.dev/services/internal/health"
)

// Book knows the features of all workspaces, partition by partition. It is safe for concurrent use.
type Book struct {
	parts []part
	// stamps is the newest stamp that was given.
	stamps atomic.Int64

	mu sync.Mutex
	// known is what all partitions together know of a workspace that was asked for.
	known map[string]together
}

// together is what the partitions know together when that was their newest stamp.
type together struct {
	stamp int64
	uses  []Use
}

// part is what the accounts of a partition use, by workspace.
type part struct {
	mu sync.Mutex
	// next takes the place of now when the fill under way ends; nil: there is none.
	now, next map[string]*latest
}

// New returns a book without accounts.
func New(partitions int) *Book {
	return &Book{parts: make([]part, partitions), known: map[string]together{}}
}

// Begin says that all accounts of a partition are going to be added anew. Until Filled what was known stands.
func (b *Book) Begin(partition int) {
	p := &b.parts[partition]

	p.mu.Lock()
	defer p.mu.Unlock()

	p.next = map[string]*latest{}
}

// Filled says that this is done: what is not used by any of them any more is forgotten.
func (b *Book) Filled(partition int) {
	p := &b.parts[partition]

	p.mu.Lock()
	defer p.mu.Unlock()

	for workspace := range p.now {
		if p.next[workspace] == nil {
			p.next[workspace] = new(latest) // so that it shows that something changed
		}
	}

	for _, l := range p.next {
		l.stamp = b.stamps.Add(1)
	}

	p.now, p.next = p.next, nil
}

// Add takes in the features of an account: each calls a function for every one of them, with the last day of its use.
func (b *Book) Add(partition int, workspace string, each func(f func(name string, last health.Day))) {
	p := &b.parts[partition]

	p.mu.Lock()
	defer p.mu.Unlock()

	l, changed := p.of(workspace), false

	each(func(name string, last health.Day) { changed = l.add(Use{Name: name, Last: last}) || changed })

	if changed {
		l.stamp = b.stamps.Add(1)
	}
}

// of returns what is to be added to. The lock is held.
func (p *part) of(workspace string) *latest {
	sets := p.next

	if sets == nil {
		if p.now == nil {
			p.now = map[string]*latest{}
		}

		sets = p.now
	}

	l := sets[workspace]
	if l == nil {
		l = new(latest)
		sets[workspace] = l
	}

	return l
}

// Since returns the features of a workspace that some account used on a day or later, the one used last first; at most
// Most. They must not be changed.
func (b *Book) Since(workspace string, day health.Day) []Use {
	uses := b.together(workspace)

	return uses[:sort.Search(len(uses), func(i int) bool { return uses[i].Last < day })]
}

// together returns what all partitions know: mostly what they knew last time.
func (b *Book) together(workspace string) []Use {
	var stamp int64 // looked up before the features, which then are no older

	for i := range b.parts {
		b.parts[i].look(workspace, func(l *latest) { stamp = max(stamp, l.stamp) })
	}

	b.mu.Lock()
	known, found := b.known[workspace]
	b.mu.Unlock()

	if stamp == 0 || found && known.stamp == stamp {
		return known.uses
	}

	var all latest

	for i := range b.parts {
		b.parts[i].look(workspace, func(l *latest) {
			for name, last := range l.days {
				all.add(Use{Name: name, Last: last})
			}
		})
	}

	uses := all.sorted()
	uses = uses[:min(len(uses), Most)]

	b.mu.Lock()
	defer b.mu.Unlock()

	if b.known[workspace].stamp < stamp {
		b.known[workspace] = together{stamp: stamp, uses: uses}
	}

	return uses
}

// look lets f see what the partition knows of a workspace, if it knows anything.
func (p *part) look(workspace string, f func(*latest)) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if l := p.now[workspace]; l != nil {
		f(l)
	}
}
