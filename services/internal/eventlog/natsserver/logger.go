package natsserver

import (
	"fmt"
	"log/slog"

	"github.com/nats-io/nats-server/v2/server"
)

// logger writes the server's own messages to slog. What the server calls a notice is a detail to us.
type logger struct{ slog *slog.Logger }

var _ server.Logger = logger{}

func (l logger) Noticef(format string, v ...any) { l.slog.Debug(fmt.Sprintf(format, v...)) }
func (l logger) Debugf(format string, v ...any)  { l.slog.Debug(fmt.Sprintf(format, v...)) }
func (l logger) Tracef(format string, v ...any)  { l.slog.Debug(fmt.Sprintf(format, v...)) }
func (l logger) Warnf(format string, v ...any)   { l.slog.Warn(fmt.Sprintf(format, v...)) }
func (l logger) Errorf(format string, v ...any)  { l.slog.Error(fmt.Sprintf(format, v...)) }

// Fatalf does not end the process: whoever started the server sees that it does not become ready.
func (l logger) Fatalf(format string, v ...any) { l.slog.Error(fmt.Sprintf(format, v...)) }
