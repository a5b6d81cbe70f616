package replica_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"time"

	"kedge/ic/principal"
	"kedge/replica"
)

func Example() {
	net, err := replica.Start(replica.WithTime(time.Unix(1_700_000_000, 0)))
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()

	code, err := os.ReadFile("testdata/count.wasm")
	if err != nil {
		log.Fatal(err)
	}
	ctx, owner := context.Background(), principal.SelfAuthenticating([]byte("owner"))
	canister, err := net.Deploy(ctx, owner, code, nil)
	if err != nil {
		log.Fatal(err)
	}
	// Who holds the network may speak for anyone; over HTTP every signature is checked.
	for range 2 {
		reply, err := net.Call(ctx, owner, canister, "count", nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(binary.LittleEndian.Uint32(reply))
	}
	// Output:
	// 1
	// 2
}
