package rig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a program that can be killed and started again with the same arguments.
type Process struct {
	Name string
	Path string
	Args []string
	Env  []string
	// Dir is the working directory; the output goes to <Dir>/<Name>.log.
	Dir string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts the program.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", p.Name, err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(p.Path, p.Args...) //nolint:gosec,noctx // programs of the test; they end by Kill or Stop
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.Dir, out, out
	cmd.Env = append(os.Environ(), p.Env...)
	// The kernel ends the program if the test itself is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(done)
	}()
	return nil
}

// Kill ends the program with SIGKILL and waits until it is gone.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks the program to end (SIGTERM) and waits until it is gone.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

func (p *Process) end(signal syscall.Signal) {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(signal) // already gone is fine
	<-done
}

// Exited reports whether the program has ended, and with which error.
func (p *Process) Exited() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return true, p.err
	default:
		return false, nil
	}
}

// CPU returns the processor time that the running program has used.
func (p *Process) CPU() (time.Duration, error) {
	p.mu.Lock()
	pid := p.cmd.Process.Pid
	p.mu.Unlock()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("reading processor time of %s: %w", p.Name, err)
	}
	// Fields after the name in brackets; user and system time are the 12th and 13th of them, in 1/100 s.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const userField, systemField, tick = 11, 12, 10 * time.Millisecond
	user, err := strconv.ParseInt(fields[userField], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading processor time of %s: %w", p.Name, err)
	}
	system, err := strconv.ParseInt(fields[systemField], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading processor time of %s: %w", p.Name, err)
	}
	return time.Duration(user+system) * tick, nil
}

// LogFile is where the program's output goes.
func (p *Process) LogFile() string { return filepath.Join(p.Dir, p.Name+".log") }

// Tail returns the end of the program's output.
func (p *Process) Tail() string {
	f, err := os.Open(p.LogFile())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	const most = 4096
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Until calls check every few milliseconds until it returns nil or ctx ends; then it returns the last reason.
func Until(ctx context.Context, check func() error) error {
	for {
		last := check()
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w", last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
