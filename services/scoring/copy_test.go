package scoring

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAtOfACallerWhoGoes(t *testing.T) {
	t.Parallel()
	t.Run("waits for what has begun", func(t *testing.T) {
		t.Parallel()
		w := &worker{in: make(chan order, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		begun, finish, ended := make(chan struct{}), make(chan struct{}), false
		go func() {
			order := <-w.in
			if err := order.committed(); err != nil {
				t.Error(err)
			}
		}()
		go func() {
			<-begun
			cancel()
			close(finish)
		}()
		require.NoError(t, w.at(ctx, func() error {
			close(begun)
			<-finish
			ended = true
			return nil
		}))
		require.True(t, ended)
	})
	t.Run("what has not begun never does", func(t *testing.T) {
		t.Parallel()
		w := &worker{in: make(chan order, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.in <- order{} // so that the order waits
		require.ErrorIs(t, w.at(ctx, func() error { t.Error("called"); return nil }), context.Canceled)
		<-w.in
		called := make(chan error, 1)
		later, stop := context.WithCancel(t.Context())
		go func() { called <- w.at(later, func() error { t.Error("called"); return nil }) }()
		left := <-w.in
		stop()
		require.ErrorIs(t, <-called, context.Canceled)
		require.NoError(t, left.committed())
	})
}
