package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"

	"hale.dev/services/internal/jsretry"
	"hale.dev/services/internal/settings"
)

const (
	// DefaultWorkspace is the workspace that the first start makes.
	DefaultWorkspace = "default"
	// CredentialsFile is the name of the file, in the data folder, that holds the keys of the first start.
	CredentialsFile = "credentials.yaml"

	folderMode = 0o700
	fileMode   = 0o600
)

// Credentials are the keys of a workspace. Empty: not known here.
type Credentials struct {
	// IngestKey may only write events.
	IngestKey string `yaml:"ingest_key"`
	// QueryKey may only read.
	QueryKey string `yaml:"query_key"`
	// AdminKey may do both, and change settings.
	AdminKey string `yaml:"admin_key"`
}

// newCredentials makes three keys.
func newCredentials() Credentials {
	return Credentials{IngestKey: NewKey(RoleIngest), QueryKey: NewKey(RoleViewer), AdminKey: NewKey(RoleAdmin)}
}

// each calls f for each key that is known, and ends with its first error.
func (c Credentials) each(f func(Role, string) error) error {
	for role, key := range map[Role]string{
		RoleIngest: c.IngestKey, RoleViewer: c.QueryKey, RoleAdmin: c.AdminKey,
	} {
		if key == "" {
			continue
		}

		if err := f(role, key); err != nil {
			return err
		}
	}

	return nil
}

// id identifies the set of keys without giving them away.
func (c Credentials) id() string {
	h := sha256.New()
	for _, key := range []string{c.IngestKey, c.QueryKey, c.AdminKey} {
		hash := Hash(key)
		h.Write(hash[:])
	}

	return hex.EncodeToString(h.Sum(nil)[:16])
}

// ReadCredentials reads the credentials file of a data folder. Its error wraps fs.ErrNotExist if there is none.
func ReadCredentials(dataDir string) (Credentials, error) {
	var c Credentials

	name := filepath.Join(dataDir, CredentialsFile)

	text, err := os.ReadFile(name) //nolint:gosec // the operator names the folder
	if err != nil {
		return c, fmt.Errorf("access: reading credentials: %w", err)
	}

	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		// The text of the error would quote the file, and with it the keys.
		return Credentials{}, fmt.Errorf("access: %w: %s", ErrCredentials, name)
	}

	return c, nil
}

// ErrCredentials is returned for a credentials file that is not the YAML that Hale writes.
var ErrCredentials = errors.New("not a credentials file")

// Bootstrap prepares a fresh cluster: it makes the workspace "default" and its three keys, and writes them to the
// credentials file of the data folder, mode 0600. On later starts it reads that file. Of several processes
// that start at once on a fresh cluster only those that share the first one's data folder have credentials; the
// others, and those that come later with a folder of their own, run without any.
//
// The file is written first, then the keys, then the workspace, which is what settles who was first. So a crash
// between the steps loses nothing: the next start goes on from the file.
func Bootstrap(ctx context.Context, s *settings.Settings, dataDir string) (Credentials, error) {
	// In this order: a workspace that exists was made after its file.
	var exists bool

	err := jsretry.Do(ctx, nil, func(ctx context.Context) (err error) {
		_, exists, err = s.Workspace(ctx, DefaultWorkspace)

		return err
	})
	if err != nil {
		return Credentials{}, fmt.Errorf("access: looking for the first workspace: %w", err)
	}

	c, err := ReadCredentials(dataDir)
	fresh := errors.Is(err, fs.ErrNotExist)

	switch {
	case err != nil && !fresh:
		return Credentials{}, err
	case exists:
		return c, nil
	case fresh:
		if c, err = writeCredentials(dataDir, newCredentials()); err != nil {
			return Credentials{}, err
		}
	}

	return register(ctx, s, dataDir, c, fresh)
}

// register stores the keys and claims the workspace. If another set of keys has claimed it meanwhile, a fresh one is
// taken back.
func register(
	ctx context.Context, s *settings.Settings, dataDir string, c Credentials, fresh bool,
) (Credentials, error) {
	now := time.Now().UTC()

	if err := c.each(func(r Role, key string) error {
		return jsretry.Do(ctx, nil, func(ctx context.Context) error {
			return s.PutKey(ctx, settings.Key{
				Hash: Hash(key), Workspace: DefaultWorkspace, Role: r.String(), Created: now,
			})
		})
	}); err != nil {
		return Credentials{}, fmt.Errorf("access: storing the first keys: %w", err)
	}

	var w settings.Workspace

	err := jsretry.Do(ctx, nil, func(ctx context.Context) (err error) {
		w, _, err = s.CreateWorkspace(ctx, settings.Workspace{
			Name: DefaultWorkspace, Created: now, Bootstrap: c.id(),
		})

		return err
	})
	if err != nil {
		return Credentials{}, fmt.Errorf("access: making the first workspace: %w", err)
	}

	if w.Bootstrap == c.id() {
		return c, nil
	}

	// The file goes before the keys: a process that shares the folder and comes between finds no file, and takes
	// the keys back itself.
	name := filepath.Join(dataDir, CredentialsFile)
	if fresh {
		err = os.Remove(name)
	} else {
		_, err = os.Stat(name)
	}

	switch {
	case err == nil && !fresh: // an operator's own file, of an earlier cluster
		return c, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return Credentials{}, fmt.Errorf("access: taking the credentials back: %w", err)
	}

	if err := c.each(func(_ Role, key string) error { return s.DeleteKey(ctx, Hash(key)) }); err != nil {
		return Credentials{}, fmt.Errorf("access: taking the keys back: %w", err)
	}

	return Credentials{}, nil
}

// writeCredentials writes the file, whole and durable, unless another process was faster; it returns those that
// stand in the file.
func writeCredentials(dataDir string, c Credentials) (Credentials, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return Credentials{}, fmt.Errorf("access: encoding credentials: %w", err)
	}

	if err := os.MkdirAll(dataDir, folderMode); err != nil {
		return Credentials{}, fmt.Errorf("access: making the data folder: %w", err)
	}

	draft, err := os.CreateTemp(dataDir, CredentialsFile+".*") // mode 0600
	if err != nil {
		return Credentials{}, fmt.Errorf("access: writing credentials: %w", err)
	}

	defer func() { _ = os.Remove(draft.Name()) }() // a draft left over harms nobody

	_, err = draft.Write(text)
	err = errors.Join(err, draft.Chmod(fileMode), draft.Sync(), draft.Close())
	if err != nil {
		return Credentials{}, fmt.Errorf("access: writing credentials: %w", err)
	}

	// A link, unlike a rename, never replaces a file.
	err = os.Link(draft.Name(), filepath.Join(dataDir, CredentialsFile))
	if errors.Is(err, fs.ErrExist) {
		return ReadCredentials(dataDir)
	}

	if err != nil {
		return Credentials{}, fmt.Errorf("access: writing credentials: %w", err)
	}

	return c, syncFolder(dataDir)
}

// syncFolder makes a new name in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the operator names the folder
	if err != nil {
		return fmt.Errorf("access: opening the data folder: %w", err)
	}

	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("access: writing credentials: %w", err)
	}

	return nil
}
