package directory

import (
	"context"
	"fmt"
)

// Lookup returns the account a user had at that time, microseconds since the epoch; known is false if none is known.
// A time before the user's first account belongs to it.
func (d *Directory) Lookup(ctx context.Context, workspace, user string, at int64) (account string, known bool, err error) {
	return d.View(workspace).Lookup(ctx, user, at)
}

// Assign says that a user belongs to an account from that time on, microseconds since the epoch. It reports whether
// that was news; the user is unsettled then.
func (d *Directory) Assign(ctx context.Context, workspace, user, account string, since int64) (changed bool, err error) {
	for range maxTries {
		root, _, err := d.root(ctx, workspace, user)
		if err != nil {
			return false, err
		}

		again := false

		changed, err = d.update(ctx, workspace, root, func(r *record) bool {
			if again = r.Into != ""; again { // merged meanwhile
				return false
			}

			return r.add(account, since)
		})
		if err != nil || !again {
			return changed, err
		}
	}

	return false, fmt.Errorf("assigning an account: %w", ErrContended)
}

// Merge says that two users are one from now on, known as user. It reports whether user now has accounts it had not;
// the user is unsettled then. The previous user is unsettled in any case.
func (d *Directory) Merge(ctx context.Context, workspace, previous, user string) (changed bool, err error) {
	for range maxTries {
		from, v, err := d.root(ctx, workspace, previous)
		if err != nil {
			return false, err
		}

		to, _, err := d.root(ctx, workspace, user)
		if err != nil || from == to {
			return changed, err
		}

		// What the earlier user had goes over first: whoever follows the pointer finds all of it.
		again := false

		grown, err := d.update(ctx, workspace, to, func(r *record) bool {
			if again = r.Into != ""; again { // merged meanwhile
				return false
			}

			return r.merge(v.record)
		})
		if err != nil {
			return false, err
		}

		if again {
			continue
		}

		changed = changed || grown
		r := v.record.clone()
		r.User, r.Into, r.Unsettled = from, to, true // what waits for the earlier user waits for the later one's now

		done, err := d.write(ctx, Key(workspace, from), r, v.revision)
		if err != nil {
			return false, err
		}

		if done {
			return changed, nil
		}

		if _, err = d.read(ctx, Key(workspace, from), true); err != nil {
			return false, err
		}
	}

	return false, fmt.Errorf("merging users: %w", ErrContended)
}

// Unsettled returns the revision of a user that was given accounts since Settle was last called, and false for every
// other user. It reads the bucket itself.
func (d *Directory) Unsettled(ctx context.Context, workspace, user string) (revision uint64, unsettled bool, err error) {
	v, err := d.read(ctx, Key(workspace, user), true)

	return v.revision, v.record.Unsettled, err
}

// Settle says that nothing waits any more for the accounts that a user had at that revision.
func (d *Directory) Settle(ctx context.Context, workspace, user string, revision uint64) error {
	key := Key(workspace, user)

	v, err := d.read(ctx, key, true)
	if err != nil || v.revision != revision || !v.record.Unsettled {
		return err
	}

	r := v.record.clone()
	r.Unsettled = false
	_, err = d.write(ctx, key, r, revision)

	return err
}

// Known tells whether events need not wait for this user any more: an account is known, or the user was merged into
// another. It reads the bucket itself.
func (d *Directory) Known(ctx context.Context, workspace, user string) (bool, error) {
	v, err := d.read(ctx, Key(workspace, user), true)

	return v.record.Into != "" || len(v.record.Spells) > 0, err
}

// root follows merges and returns the user that stands for this one, with its version.
func (d *Directory) root(ctx context.Context, workspace, user string) (string, version, error) {
	for range maxHops {
		v, err := d.read(ctx, Key(workspace, user), false)
		if err != nil || v.record.Into == "" {
			return user, v, err
		}

		user = v.record.Into
	}

	v, err := d.read(ctx, Key(workspace, user), false)

	return user, v, err
}

// update applies f to a user's record until it can be written. f says whether it changed anything.
func (d *Directory) update(ctx context.Context, workspace, user string, f func(*record) bool) (bool, error) {
	key := Key(workspace, user)

	for try := range maxTries {
		v, err := d.read(ctx, key, try > 0)
		if err != nil {
			return false, err
		}

		r := v.record.clone()
		if !f(&r) {
			return false, nil
		}

		r.User, r.Unsettled = user, true

		if done, err := d.write(ctx, key, r, v.revision); err != nil || done {
			return done, err
		}
	}

	return false, ErrContended
}
