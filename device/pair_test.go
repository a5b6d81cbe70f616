package device

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPair(t *testing.T) {
	nonce, err := NewNonce(rand.Reader)
	require.NoError(t, err)
	_, err = NewNonce(bytes.NewReader(nil))
	require.ErrorContains(t, err, "drawing a nonce")
	laptop := testKey(t)
	safe, err := new(Keys).AddKey("safe", phraseRoot(t, abandonArt), testTime)
	require.NoError(t, err)
	clone, err := new(Keys).AddKey("clone", phraseRoot(t, allWords), testTime)
	require.NoError(t, err)
	prove := func(k *SecurityKey) Proof {
		p, err := k.Prove(nonce)
		require.NoError(t, err)
		text, err := json.Marshal(p) // as another machine sends it
		require.NoError(t, err)
		var read Proof
		require.NoError(t, json.Unmarshal(text, &read))
		return read
	}
	a, b, c := prove(laptop), prove(safe), prove(clone)
	print, err := a.Verify(nonce)
	require.NoError(t, err)
	require.Equal(t, laptop.Fingerprint(), print)

	sameModel, err := Pair(a, b, nonce)
	require.NoError(t, err)
	require.True(t, sameModel)
	_, err = Pair(a, c, nonce)
	var same *CloneError
	require.ErrorAs(t, err, &same)
	require.EqualError(t, err, "both keys have the seed "+print.String()+": they are clones, not a pair")

	_, err = Pair(a, b, make([]byte, NonceSize))
	require.EqualError(t, err, `key "laptop": the proof was made for another nonce`)
	for name, change := range map[string]func(*Proof){
		"name": func(p *Proof) { p.Name = "other" }, "model": func(p *Proof) { p.Model[0] ^= 1 }, "finalized": func(p *Proof) { p.Finalized = true },
		"checked": func(p *Proof) { p.Checked = true }, "key": func(p *Proof) { p.PublicKey = b.PublicKey }, "no key": func(p *Proof) { p.PublicKey = nil },
		"no signature": func(p *Proof) { p.Signature = nil }, "short model": func(p *Proof) { p.Model = nil },
	} {
		p := prove(laptop)
		change(&p)
		_, err := p.Verify(nonce)
		require.EqualError(t, err, "the signature of the proof is wrong", name)
	}
	_, err = laptop.Prove(nonce[1:])
	require.EqualError(t, err, "a nonce has 32 bytes, this one has 31")
}
