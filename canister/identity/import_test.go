package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImport(t *testing.T) {
	laptop, phone, paper := passkey("laptop"), passkey("phone"), marked(phrase("phrase"))
	second := change(phrase("second"), func(d *Data) { d.CredentialID = []byte("c"); d.Alias = string(make([]byte, 99)) })
	got := Import(10000, 5, []Imported{
		{laptop, testNow}, {phone, 0}, {paper, 0}, {second, 0},
		{moved(laptop), testNow - 1}, {marked(renamed(phone)), testNow - 2}, {phrase("phrase"), 0},
	})
	want := &Anchor{Number: 10000, CreatedAt: 5, Devices: []Device{
		{Data: laptop, ID: 0, Principal: who("laptop"), Proven: true, LastUsed: testNow},
		{Data: marked(phone), ID: 1, Principal: who("phone"), Proven: true, LastUsed: testNow - 2},
		{Data: paper, ID: 2, Principal: who("phrase"), Proven: true},
		{Data: second, ID: 3, Principal: who("second")},
	}, Copies: []Data{moved(laptop), marked(renamed(phone)), phrase("phrase")}}
	require.Equal(t, want, got)
	got.Settle(Call{Now: testNow, Service: ^uint64(0)})
	require.True(t, got.Devices[2].Protected, "an imported mark never lapses")

	proof := Import(1, 0, []Imported{{laptop, 0}, {laptop, 7}})
	require.True(t, proof.Devices[0].Proven)
	require.Equal(t, uint64(7), proof.Devices[0].LastUsed)
}
