package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/sender"
	"hale.dev/services/internal/demo"
)

const (
	// demoPatience is how long the demo waits for a busy server.
	demoPatience = time.Minute
	// demoVisible is how long it waits until all scores are there.
	demoVisible = 2 * time.Minute
	// liveTick is the time between two groups of live events.
	liveTick = time.Second
)

// demoOptions are the demo's flags that are no settings.
type demoOptions struct {
	live     bool
	duration time.Duration
	rate     int
}

func (a *app) demoCommand() *cobra.Command {
	o := demoOptions{}

	cmd := &cobra.Command{
		Use: "demo", Short: "Play a made-up portfolio with stories into a running Hale",
		Long: "Makes a portfolio of customers with stories - steady, growing, quietly leaving, angry,\n" +
			"onboarding stalled - and plays it in over the public API: months of history as one\n" +
			"historical load, then live events until it is interrupted. If the portfolio is there\n" +
			"already, only the live events go on.",
		Args:    arguments(0, 0, "no arguments"),
		Example: "  hale demo\n  hale demo --live=false --accounts 50 --seed 7",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.settings.demo.Validate(); err != nil {
				return usageError("%w", err)
			}

			if o.rate < 1 || o.rate > maxRate {
				return usageError("--rate must be from 1 to %d", maxRate)
			}

			return a.playDemo(cmd.Context(), o)
		},
	}
	a.flags(cmd, append(readFlags(), "demo", "client.ingest")...)
	cmd.Flags().BoolVar(&o.live, "live", true, "go on with live events after the history")
	cmd.Flags().DurationVar(&o.duration, "duration", 0, "how long live events go on; 0: until interrupted")
	cmd.Flags().IntVar(&o.rate, "rate", 10, "live events a second")

	return cmd
}

// maxRate is the most live events a second: it is a demo, no benchmark.
const maxRate = 1000

func (a *app) playDemo(ctx context.Context, o demoOptions) error {
	now := time.Now()
	portfolio := demo.New(a.settings.demo, now)

	key, err := a.settings.key(access.RoleAdmin)
	if err != nil {
		return err
	}

	at, err := a.settings.endpoints()
	if err != nil {
		return err
	}

	client, err := a.settings.client.http(demoPatience)
	if err != nil {
		return err
	}

	player := &demo.Player{Sender: &sender.Sender{
		Client: client, URL: at.ingest, Key: key, Patience: demoPatience,
	}}

	there, err := a.demoIsThere(ctx, portfolio)
	if err != nil {
		return err
	}

	if there {
		a.sayf("The portfolio is there already; start on an empty data folder, or give another --seed, for a new one.")
	} else if err := a.loadDemo(ctx, portfolio, player, now); err != nil {
		return err
	}

	if err := a.tellStories(ctx, portfolio); err != nil {
		return err
	}

	if !o.live {
		return nil
	}

	return a.playLive(ctx, portfolio, player, o)
}

// demoIsThere looks for the first account of the portfolio. Loading twice would only be refused:
// a live account takes no history.
func (a *app) demoIsThere(ctx context.Context, p *demo.Portfolio) (bool, error) {
	_, err := a.getHealth(ctx, p.Accounts[0].ID, "")
	if status.Code(err) == codes.NotFound {
		return false, nil
	}

	return err == nil, err
}

// loadDemo plays the history in, closes the load, and waits until its scores can be read.
func (a *app) loadDemo(ctx context.Context, p *demo.Portfolio, player *demo.Player, now time.Time) error {
	started := time.Now()
	total := p.Size()
	bar := progressbar.NewOptions(total,
		progressbar.OptionSetWriter(a.io.Err), progressbar.OptionSetVisibility(terminal(a.io.Err)),
		progressbar.OptionSetDescription("history"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("events"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30), // the bar's look
	)
	load := "demo-" + strconv.Itoa(a.settings.demo.Seed) + "-" + strconv.FormatInt(now.Unix(), 10)

	err := player.History(ctx, p, load, func(events int) {
		_ = bar.Add(events) // a bar that cannot be drawn must not stop the load
	})
	_ = bar.Finish() // as above

	if terminal(a.io.Err) {
		a.sayf("")
	}

	if err != nil {
		return sendError(fmt.Errorf("loading the history: %w", err))
	}

	token, err := player.Sender.CloseLoad(ctx, load)
	if err != nil {
		return sendError(fmt.Errorf("closing the load: %w", err))
	}

	if err := a.awaitToken(ctx, token); err != nil {
		return err
	}

	a.sayf("%d events of %d accounts in %s, scores included.", total, len(p.Accounts),
		time.Since(started).Round(100*time.Millisecond)) // a tenth of a second

	return nil
}

// awaitToken waits until a write is in the scores. A server may wait less than it takes.
func (a *app) awaitToken(ctx context.Context, token string) error {
	conn, err := a.settings.dial(access.RoleViewer)
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close() }() // the answer is there

	ctx, cancel := context.WithTimeout(ctx, demoVisible)
	defer cancel()

	client := healthv1.NewHealthServiceClient(conn)

	for {
		_, err := client.ListAccounts(ctx, &healthv1.ListAccountsRequest{PageSize: 1, AtLeast: token})
		if err == nil {
			return nil
		}

		if status.Code(err) != codes.DeadlineExceeded || ctx.Err() != nil {
			return fmt.Errorf("waiting for the scores: %w", err)
		}
	}
}

// storyView is one story with what became of its accounts.
type storyView struct {
	Story    string         `json:"story"`
	Accounts int            `json:"accounts"`
	Bands    map[string]int `json:"bands"`
	Average  float64        `json:"average_score"`
	Examples []string       `json:"examples"`
}

// maxExamples is how many accounts of each story are named.
const maxExamples = 3

func (a *app) tellStories(ctx context.Context, p *demo.Portfolio) error {
	scores := make(map[string]summaryView)

	err := a.health(ctx, func(ctx context.Context, c healthv1.HealthServiceClient) error {
		accounts, _, err := listAccounts(ctx, c, &healthv1.ListAccountsRequest{}, 0)
		for _, s := range accounts {
			scores[s.GetAccountId()] = viewSummary(s)
		}

		return err
	})
	if err != nil {
		return err
	}

	views := make([]storyView, 0, len(demo.Stories()))

	for _, s := range demo.Stories() {
		if accounts := p.Of(s); len(accounts) > 0 {
			views = append(views, viewStory(s, accounts, scores))
		}
	}

	return many(a.printer(), views, a.drawStories(views))
}

func viewStory(s demo.Story, accounts []demo.Account, scores map[string]summaryView) storyView {
	v := storyView{Story: s.String(), Accounts: len(accounts), Bands: map[string]int{}}

	var (
		sum    float64
		scored int
	)

	for i := range accounts {
		found, ok := scores[accounts[i].ID]
		if !ok {
			continue
		}

		v.Bands[found.Band]++

		if found.Score != nil {
			sum += *found.Score
			scored++
		}

		if len(v.Examples) < maxExamples {
			v.Examples = append(v.Examples, accounts[i].ID)
		}
	}

	if scored > 0 {
		v.Average = sum / float64(scored)
	}

	return v
}

func (a *app) drawStories(views []storyView) func(io.Writer) error {
	return func(w io.Writer) error {
		bands := []string{"healthy", "steady", "at_risk", "critical", "unknown"}
		t := table{columns: []column{
			{name: "STORY"}, {name: "ACCOUNTS", right: true}, {name: "AVERAGE", right: true},
		}}

		for _, b := range bands {
			t.columns = append(t.columns, column{name: strings.ToUpper(b), right: true})
		}

		for _, v := range views {
			cells := []string{v.Story, strconv.Itoa(v.Accounts), decimal(v.Average, 1)}
			for _, b := range bands {
				cells = append(cells, strconv.Itoa(v.Bands[b]))
			}

			t.add(cells...)
		}

		if err := t.write(w); err != nil {
			return err
		}

		program, data := a.program()

		if _, err := fmt.Fprintf(w, "\nSee the stories:\n\n"); err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}

		for _, v := range views {
			if len(v.Examples) == 0 {
				continue
			}

			command := "explain"
			if v.Story == demo.Growing.String() || v.Story == demo.Leaving.String() { // best seen day by day
				command = "history"
			}

			if _, err := fmt.Fprintf(w, "  %s accounts %s %s%s   # %s\n",
				program, command, quote(v.Examples[0]), data, v.Story); err != nil {
				return err //nolint:wrapcheck // a failed write to stdout says it all
			}
		}

		_, err := fmt.Fprintf(w, "  %s accounts list --limit 20%s   # the worst first\n", program, data)

		return err //nolint:wrapcheck // a failed write to stdout says it all
	}
}

// playLive sends events as they happen, until the user interrupts it or the time is over.
func (a *app) playLive(ctx context.Context, p *demo.Portfolio, player *demo.Player, o demoOptions) error {
	if o.duration > 0 {
		var cancel context.CancelFunc

		ctx, cancel = context.WithTimeoutCause(ctx, o.duration, errDemoOver)
		defer cancel()
	}

	a.sayf("\nLive now, %d events a second; stop with Ctrl-C.", o.rate)

	live := p.Live("live-" + rand.Text())
	ticker := time.NewTicker(liveTick)

	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case at := <-ticker.C:
			if _, err := player.Send(ctx, live.Group(at, o.rate)...); err != nil && ctx.Err() == nil {
				return sendError(fmt.Errorf("sending live events: %w", err))
			}
		}
	}
}

// errDemoOver ends the live events when --duration is over.
var errDemoOver = errors.New("the demo is over")
