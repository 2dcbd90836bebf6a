package demo

import (
	"errors"
	"fmt"
)

// Defaults of Config.
const (
	DefaultAccounts = 300
	DefaultDays     = 120

	maxAccounts = 100_000
	maxDays     = 390 // history rows are kept for 400 days
)

// Config says what portfolio to make. The zero value works.
type Config struct {
	// Seed: the same seed makes the same portfolio.
	Seed int
	// Accounts is how many; 0: 300.
	Accounts int
	// Days of history before the end; 0: 120.
	Days int
}

var (
	errAccounts = errors.New("must be from 1 to 100000")
	errDays     = errors.New("must be from 1 to 390")
)

// Validate reports what cannot be used.
func (c Config) Validate() error {
	c = c.complete()

	var errs []error

	if c.Accounts < 1 || c.Accounts > maxAccounts {
		errs = append(errs, fmt.Errorf("demo: accounts %d: %w", c.Accounts, errAccounts))
	}

	if c.Days < 1 || c.Days > maxDays {
		errs = append(errs, fmt.Errorf("demo: days %d: %w", c.Days, errDays))
	}

	return errors.Join(errs...)
}

func (c Config) complete() Config {
	if c.Accounts == 0 {
		c.Accounts = DefaultAccounts
	}

	if c.Days == 0 {
		c.Days = DefaultDays
	}

	return c
}
