package client_test

import (
	"context"
	"fmt"
	"log"

	"hale.dev/proto/client"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// address serves what the examples call.
func address(f *fake) (string, func()) {
	a, stop, err := serve(f)
	if err != nil {
		log.Panic(err)
	}

	return a, stop
}

// connect is how the other examples got their client.
func connect(address string) (*client.Client, func()) {
	hale, err := client.Dial(address, client.WithKey("hale_query_key"))
	if err != nil {
		log.Panic(err)
	}

	return hale, func() { _ = hale.Close() }
}

func ExampleDial() {
	server, stop := address(&fake{})
	defer stop()

	hale, err := client.Dial(server, client.WithKey("hale_query_key"))
	if err != nil {
		log.Panic(err)
	}

	defer func() { _ = hale.Close() }()

	answer, err := hale.Health.GetHealth(context.Background(), &healthv1.GetHealthRequest{AccountId: "acme"})
	if err != nil {
		log.Panic(err)
	}

	fmt.Println(answer.GetHealth().GetScore(), answer.GetHealth().GetBand())
	// Output: 71.5 BAND_STEADY
}

func ExampleClient_Accounts() {
	server, stop := address(&fake{})
	defer stop()

	hale, done := connect(server)
	defer done()

	for account, err := range hale.Accounts(context.Background(), &healthv1.ListAccountsRequest{PageSize: 2}) {
		if err != nil {
			log.Panic(err)
		}

		fmt.Print(account.GetAccountId(), " ")
	}
	// Output: a b c d e
}

func ExampleClient_Watch() {
	server, stop := address(&fake{parts: [][]*healthv1.WatchHealthResponse{{part("1", "acme")}, {part("2", "brill")}}})
	defer stop()

	hale, done := connect(server)
	defer done()

	seen := 0

	for part, err := range hale.Watch(context.Background(), &healthv1.WatchHealthRequest{}) {
		if err != nil {
			log.Panic(err)
		}

		for _, change := range part.GetChanges() {
			fmt.Println(change.GetAccount().GetAccountId())
		}

		if seen++; seen == 2 { // a real one goes on
			break
		}
	}
	// Output:
	// acme
	// brill
}

func ExampleReason() {
	server, stop := address(&fake{})
	defer stop()

	hale, done := connect(server)
	defer done()

	_, err := hale.Health.GetHealth(context.Background(), &healthv1.GetHealthRequest{AccountId: "nobody"})
	fmt.Println(client.Reason(err))
	// Output: ACCOUNT_NOT_FOUND
}

func ExampleViolations() {
	server, stop := address(&fake{})
	defer stop()

	hale, done := connect(server)
	defer done()

	_, err := hale.Health.GetHealth(context.Background(), &healthv1.GetHealthRequest{})
	for _, v := range client.Violations(err) {
		fmt.Println(v.Field, v.Code)
	}
	// Output: account_id string.min_len
}
