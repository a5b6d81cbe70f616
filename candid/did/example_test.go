package did_test

import (
	"fmt"
	"log"

	"kedge/candid/did"
)

func ExampleParse() {
	file, err := did.Parse(`service : { greet : (text) -> (text) query }`)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range file.Methods() {
		fmt.Println(m.Name)
	}
	// Output: greet
}
