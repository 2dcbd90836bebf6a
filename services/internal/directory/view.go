package directory

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// concurrent bounds the requests that one view has under way.
const concurrent = 64

// View is the directory as one request sees it: with the request's own entries applied in their order. Nothing is
// written before Commit. A view is for one goroutine.
type View struct {
	d         *Directory
	workspace string
	users     map[string]*record
	steps     []step
	unsettled map[string]struct{}
}

// step is an entry to write: a merge if previous is set, else an assignment.
type step struct {
	user, account, previous string
	since                   int64
}

// View begins a request of a workspace.
func (d *Directory) View(workspace string) *View {
	return &View{d: d, workspace: workspace}
}

// Load reads many users at once, to make what follows fast.
func (v *View) Load(ctx context.Context, users []string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrent)

	for _, user := range users {
		key := Key(v.workspace, user)
		if _, ok := v.d.cache.get(key); ok {
			continue
		}

		g.Go(func() error {
			_, err := v.d.read(ctx, key, false)

			return err
		})
	}

	return g.Wait() //nolint:wrapcheck // read says what it did
}

// Lookup returns the account a user had at that time, microseconds since the epoch.
func (v *View) Lookup(ctx context.Context, user string, at int64) (account string, known bool, err error) {
	_, r, err := v.root(ctx, user)
	if err != nil {
		return "", false, err
	}

	account, known = r.at(at)

	return account, known, nil
}

// Root returns the name under which a user is known now: that of the user it was merged into, else its own.
func (v *View) Root(ctx context.Context, user string) (string, error) {
	root, _, err := v.root(ctx, user)

	return root, err
}

// Assign says that a user belongs to an account from that time on, microseconds since the epoch.
func (v *View) Assign(ctx context.Context, user, account string, since int64) error {
	root, r, err := v.root(ctx, user)
	if err != nil {
		return err
	}

	c := r.clone()
	if !c.add(account, since) {
		return nil
	}

	v.set(root, &c)
	v.steps = append(v.steps, step{user: root, account: account, since: since})

	return nil
}

// Merge says that two users are one from now on, known as user.
func (v *View) Merge(ctx context.Context, previous, user string) error {
	from, p, err := v.root(ctx, previous)
	if err != nil {
		return err
	}

	to, r, err := v.root(ctx, user)
	if err != nil || from == to {
		return err
	}

	c := r.clone()
	c.merge(*p)
	v.set(to, &c)
	v.set(from, &record{User: from, Into: to})
	v.steps = append(v.steps, step{user: to, previous: from})

	return nil
}

// Commit writes the view's entries. It returns the users whose waiting events can be sent again: call Unsettled and
// Settle for them. When it fails, some entries may have been written; all of them can be written again.
func (v *View) Commit(ctx context.Context) ([]string, error) {
	var err error

	for _, s := range v.steps {
		if s.previous != "" { // merges tie users together: keep the order
			err = v.inOrder(ctx)

			return v.woken(), err
		}
	}

	if len(v.steps) > 0 {
		err = v.atOnce(ctx)
	}

	return v.woken(), err
}

func (v *View) woken() []string {
	users := make([]string, 0, len(v.unsettled))
	for u := range v.unsettled {
		users = append(users, u)
	}

	return users
}

func (v *View) inOrder(ctx context.Context) error {
	for _, s := range v.steps {
		if err := v.write(ctx, s); err != nil {
			return err
		}

		v.wake(s.user)

		if s.previous != "" {
			v.wake(s.previous)
		}
	}

	return nil
}

// atOnce writes the steps of different users side by side, those of one user in order.
func (v *View) atOnce(ctx context.Context) error {
	byUser := make(map[string][]step)
	for _, s := range v.steps {
		byUser[s.user] = append(byUser[s.user], s)
		v.wake(s.user)
	}

	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrent)

	for _, steps := range byUser {
		g.Go(func() error {
			for _, s := range steps {
				if err := v.write(ctx, s); err != nil {
					return err
				}
			}

			return nil
		})
	}

	return g.Wait() //nolint:wrapcheck // write says what it did
}

func (v *View) write(ctx context.Context, s step) error {
	var err error
	if s.previous != "" {
		_, err = v.d.Merge(ctx, v.workspace, s.previous, s.user)
	} else {
		_, err = v.d.Assign(ctx, v.workspace, s.user, s.account, s.since)
	}

	return err
}

// root is Directory.root over the view's own entries.
func (v *View) root(ctx context.Context, user string) (string, *record, error) {
	for hop := 0; ; hop++ {
		r, ok := v.users[user]
		if !ok {
			ver, err := v.d.read(ctx, Key(v.workspace, user), false)
			if err != nil {
				return user, nil, err
			}

			r = &ver.record
			if r.Unsettled { // a crash may have kept its waiting events from being sent
				v.wake(user)
			}
		}

		if r.Into == "" || hop == maxHops {
			return user, r, nil
		}

		user = r.Into
	}
}

func (v *View) set(user string, r *record) {
	if v.users == nil {
		v.users = make(map[string]*record)
	}

	v.users[user] = r
}

func (v *View) wake(user string) {
	if v.unsettled == nil {
		v.unsettled = make(map[string]struct{})
	}

	v.unsettled[user] = struct{}{}
}
