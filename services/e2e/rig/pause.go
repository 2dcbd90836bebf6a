package rig

import (
	"fmt"
	"syscall"
)

// Pause stops the program where it stands (SIGSTOP): its connections stay, and it answers nothing.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Resume lets a paused program go on (SIGCONT). It does not know that time has passed.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	p.mu.Lock()
	cmd := p.cmd
	p.mu.Unlock()
	if cmd == nil {
		return fmt.Errorf("sending %s to %s: it was never started", s, p.Name)
	}
	if err := cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %s to %s: %w", s, p.Name, err)
	}
	return nil
}

// Running tells whether the program has been started and has not ended.
func (p *Process) Running() bool { return p.PID() != 0 }

// PID is the running program's process id; 0: it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	select {
	case <-p.done:
		return 0
	default:
		return p.cmd.Process.Pid
	}
}
