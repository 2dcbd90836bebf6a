package catalog

import (
	"sync"

	"hale.dev/services/internal/health"
)

// Book knows the features of all workspaces, partition by partition. It is safe for concurrent use.
type Book struct {
	parts []part
}

// part is what the accounts of a partition use, by workspace.
type part struct {
	mu sync.Mutex
	// next takes the place of now when the fill under way ends; nil: there is none.
	now, next map[string]*latest
}

// New returns a book without accounts.
func New(partitions int) *Book { return &Book{parts: make([]part, partitions)} }

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

	p.now, p.next = p.next, nil
}

// Add takes in the features of an account: each calls a function for every one of them, with the last day of its use.
func (b *Book) Add(partition int, workspace string, each func(f func(name string, last health.Day))) {
	p := &b.parts[partition]

	p.mu.Lock()
	defer p.mu.Unlock()

	l := p.of(workspace)

	each(func(name string, last health.Day) { l.add(Use{Name: name, Last: last}) })
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
// Most.
func (b *Book) Since(workspace string, day health.Day) []Use {
	var all latest

	for i := range b.parts {
		b.parts[i].since(workspace, day, &all)
	}

	found := all.sorted()

	return found[:min(len(found), Most)]
}

// since adds what a partition knows.
func (p *part) since(workspace string, day health.Day, all *latest) {
	p.mu.Lock()
	defer p.mu.Unlock()

	l := p.now[workspace]
	if l == nil {
		return
	}

	for name, last := range l.days {
		if last >= day {
			all.add(Use{Name: name, Last: last})
		}
	}
}
