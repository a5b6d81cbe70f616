package device_test

import (
	"fmt"
	"log"

	"kedge/device"
)

// The words are those of the first test vector of BIP-39: published, so never use them for an account.
func ExampleParsePhrase() {
	phrase, err := device.ParsePhrase("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(phrase)
	// Output: recovery phrase of 12 words
}
