package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/e2e/trial"
	"hale.dev/services/internal/store/redis"
)

// errWrong says that events were lost or counted twice, that an answer differs, or that the fleet did not recover.
var errWrong = errors.New("something is wrong, see above")

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.sum {
		return sum(o.results)
	}
	redis.SetDriverLogger(slog.New(slog.DiscardHandler)) // lost connections are what this is about
	dir, err := os.MkdirTemp(o.dir, "hale-chaos-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if o.keep {
		fmt.Fprintln(os.Stdout, "files are kept in", dir)
	} else {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	programs, err := rig.Build(ctx, dir)
	if err != nil {
		return err
	}
	if o.alerts {
		return runAlerts(ctx, o, dir, programs)
	}
	var all trial.Report
	for part := range o.parts {
		r, err := runPart(ctx, o, part, dir, programs)
		if err != nil {
			return fmt.Errorf("seed %d: %w", o.trial.Seed+uint64(part), err)
		}
		all.Add(r)
	}
	if o.parts > 1 {
		return finish(&all)
	}
	if all.Failed() {
		return errWrong
	}
	return nil
}

// runPart runs one part, prints its report and notes it.
func runPart(ctx context.Context, o options, part int, dir string, programs rig.Programs) (*trial.Report, error) {
	t := o.trial
	t.Seed += uint64(part) //nolint:gosec // not negative
	t.Programs, t.Out = programs, os.Stdout
	var err error
	if t.Dir, err = os.MkdirTemp(dir, "part-"); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	r, err := trial.Run(ctx, t)
	if err != nil {
		return nil, err
	}
	if !o.keep {
		if err := os.RemoveAll(t.Dir); err != nil {
			return nil, fmt.Errorf("removing the files of a part: %w", err)
		}
	}
	if err := r.Print(os.Stdout); err != nil {
		return nil, err
	}
	return r, note(o.results, r)
}

// note adds a report to the file of results.
func note(file string, r any) error {
	if file == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // named by the user
	if err != nil {
		return fmt.Errorf("opening the results: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// sum prints the sum of the results noted so far.
func sum(file string) error {
	f, err := os.Open(file) //nolint:gosec // named by the user
	if err != nil {
		return fmt.Errorf("opening the results: %w", err)
	}
	defer func() { _ = f.Close() }()
	var all trial.Report
	const longest = 16 << 20
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		var r trial.Report
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("reading the results: %w", err)
		}
		all.Add(&r)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the results: %w", err)
	}
	return finish(&all)
}

// finish prints the sum of all parts.
func finish(all *trial.Report) error {
	fmt.Fprintln(os.Stdout, "all parts together:")
	if err := all.Print(os.Stdout); err != nil {
		return err
	}
	if all.Failed() {
		return errWrong
	}
	return nil
}
