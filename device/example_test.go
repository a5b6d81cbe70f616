package device_test

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log"
	"time"

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

// What an authenticator does with a security key: it makes a credential for a relying party, finds it again,
// and signs. In a program the key is that of a [device.Store], and what changes it is inside Store.Change.
func ExampleSecurityKey() {
	root, err := device.NewRoot(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	key, err := new(device.Keys).AddKey("laptop", root, now)
	if err != nil {
		log.Fatal(err)
	}
	_, err = key.Create(device.CreateRequest{
		Kind: device.Discoverable, RPID: "id.example", User: device.User{ID: []byte{1}, Name: "anna"}, HMACSecret: true,
	}, rand.Reader, now)
	if err != nil {
		log.Fatal(err)
	}
	for _, credential := range key.ByRelyingParty("id.example") {
		used, err := key.MarkUsed(credential.CredentialID(), now)
		if err != nil {
			log.Fatal(err)
		}
		rpIDHash := sha256.Sum256([]byte("id.example"))
		flags := device.UserPresent | used.BackupFlags()
		authenticatorData := append(rpIDHash[:], byte(flags), 0, 0, 0, byte(used.Counter()))
		signature, err := used.SignData(authenticatorData, sha256.Sum256([]byte("client data")))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(used, len(signature) > 64)
	}
	// Output: discoverable credential of anna at id.example true
}
