// Package vaulttest is what every snapshot.Vault must pass: one suite for all technologies.
package vaulttest

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
)

// large is more than any vault sends at once: it is stored in several parts.
const large = 17<<20 + 1

// Place is an empty place; each call opens it again, for the time of the test.
type Place func(t testing.TB) snapshot.Vault

// Run runs the suite. Empty makes an empty place.
func Run(t *testing.T, empty func(t testing.TB) Place) {
	t.Helper()
	t.Run("objects", func(t *testing.T) { testObjects(t, empty) })
	t.Run("lists", func(t *testing.T) { testLists(t, empty) })
	t.Run("failures", func(t *testing.T) { testFailures(t, empty) })
	t.Run("company", func(t *testing.T) { testCompany(t, empty) })
}

func content(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i*7 + i>>8*13 + i>>16)
	}

	return data
}

func put(t testing.TB, v snapshot.Vault, name string, data []byte) {
	t.Helper()
	require.NoError(t, v.Put(t.Context(), name, bytes.NewReader(data)))
}

func get(t testing.TB, v snapshot.Vault, name string) []byte {
	t.Helper()

	r, err := v.Get(t.Context(), name)
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())

	return data
}

func missing(t testing.TB, v snapshot.Vault, name string) {
	t.Helper()

	_, err := v.Get(t.Context(), name)
	require.ErrorIs(t, err, snapshot.ErrNotFound, name)
}

func list(t testing.TB, v snapshot.Vault, prefix string) []snapshot.Object {
	t.Helper()

	all, err := v.List(t.Context(), prefix)
	require.NoError(t, err)

	return all
}

func names(all []snapshot.Object) []string {
	found := make([]string, len(all))
	for i, o := range all {
		found[i] = o.Name
	}

	return found
}

// sweep sweeps up whatever was begun until now.
func sweep(t testing.TB, v snapshot.Vault) int {
	t.Helper()

	n, err := v.Sweep(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)

	return n
}
