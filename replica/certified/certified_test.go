package certified

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/reject"
)

var (
	one   = principal.Canister(1)
	two   = principal.Canister(1 << 63)
	alice = principal.SelfAuthenticating([]byte("alice"))
)

func path(parts ...any) Path {
	var out Path
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			out = append(out, []byte(v))
		case []byte:
			out = append(out, v)
		case principal.Principal:
			out = append(out, v.Bytes())
		case request.ID:
			out = append(out, v[:])
		}
	}
	return out
}

func newState(t *testing.T) *State {
	keys, err := GenerateKeys(nil)
	require.NoError(t, err)
	return NewState(keys, Options{})
}

func certify(t *testing.T, s *State, time uint64) *Snapshot {
	snapshot, err := s.Certify(time)
	require.NoError(t, err)
	return snapshot
}

// open decodes a certificate and verifies it for a canister, as a client does.
func open(t *testing.T, s *State, encoded []byte, canister principal.Principal) *hashtree.Node {
	c, err := certificate.Decode(encoded)
	require.NoError(t, err)
	root, err := certificate.ParsePublicKey(s.Keys().RootDER())
	require.NoError(t, err)
	require.NoError(t, c.VerifyCanister(root, canister))
	return c.Tree
}

func TestKeys(t *testing.T) {
	keys, err := GenerateKeys(nil)
	require.NoError(t, err)
	back, err := ParseKeys(keys.Bytes())
	require.NoError(t, err)
	require.Equal(t, keys.RootID(), back.RootID())
	require.Equal(t, keys.SubnetID(), back.SubnetID())
	require.Equal(t, keys.NodeID(), back.NodeID())
	require.True(t, ed25519.Verify(keys.Node.Public().(ed25519.PublicKey), []byte("x"), back.SignResponse([]byte("x"))))

	_, err = ParseKeys(keys.Bytes()[1:])
	require.ErrorContains(t, err, "have 96 bytes, got 95")
	_, err = ParseKeys(make([]byte, KeysLen))
	require.ErrorContains(t, err, "root key")
	for n := range 5 {
		_, err = GenerateKeys(bytes.NewReader(keys.Bytes()[:n*20]))
		require.Error(t, err)
	}
}

func TestCertificateOfCanisters(t *testing.T) {
	s := newState(t)
	require.Nil(t, s.Latest())
	s.SetCanister(one, Canister{
		Controllers:   []principal.Principal{alice},
		ModuleHash:    []byte("hash"),
		CertifiedData: []byte("old"),
		Metadata:      []Metadata{{"candid:service", true, []byte("service : {}")}, {"secret", false, []byte("s")}},
		CreatedAt:     7,
		InstalledAt:   8,
	})
	s.SetCanister(two, Canister{Controllers: []principal.Principal{}})
	s.SetCertifiedData(one, []byte("new"))
	s.SetCertifiedData(two, []byte("refused: no module"))
	s.SetCertifiedData(alice, []byte("refused: no canister"))
	snapshot := certify(t, s, 1000)

	for _, tc := range []struct {
		path   Path
		value  string
		status hashtree.Status
	}{
		{path("canister", one, "module_hash"), "hash", hashtree.Found},
		{path("canister", one, "certified_data"), "new", hashtree.Found},
		{path("canister", one, "metadata", "candid:service"), "service : {}", hashtree.Found},
		{path("canister", one, "metadata", "absent"), "", hashtree.Absent},
		{path("canister", one, "canister_creation_timestamp"), "\x07", hashtree.Found},
		{path("canister", one, "last_install_timestamp"), "\x08", hashtree.Found},
		{path("canister", two, "controllers"), "\xd9\xd9\xf7\x80", hashtree.Found},
		{path("canister", two, "module_hash"), "", hashtree.Absent},
		{path("canister", two, "certified_data"), "", hashtree.Absent},
		{path("canister", principal.Canister(3), "module_hash"), "", hashtree.Absent},
	} {
		tree := open(t, s, snapshot.Certificate(tc.path), one)
		value, status := tree.Lookup(tc.path...)
		require.Equal(t, tc.status, status, "%q", tc.path)
		require.Equal(t, tc.value, string(value), "%q", tc.path)
		_, status = tree.Lookup(path("canister", one, "metadata", "secret")...)
		require.NotEqual(t, hashtree.Found, status)
		now, status := tree.Lookup(path("time")...)
		require.Equal(t, hashtree.Found, status)
		require.Equal(t, hashtree.EncodeNat(1000), now)
	}

	data := open(t, s, snapshot.DataCertificate(one), one)
	value, _ := data.Lookup(path("canister", one, "certified_data")...)
	require.Equal(t, "new", string(value))

	s.RemoveCanister(one)
	_, ok := s.Canister(one)
	require.False(t, ok)
	_, status := certify(t, s, 1001).Tree().Lookup(path("canister", one, "controllers")...)
	require.Equal(t, hashtree.Absent, status)
	_, status = snapshot.Tree().Lookup(path("canister", one, "controllers")...)
	require.Equal(t, hashtree.Found, status, "an old snapshot stays what it was")
	require.Equal(t, []principal.Principal{two}, s.Canisters())
}

func TestSetCertifiedDataEqualsSetCanister(t *testing.T) {
	a, b := newState(t), newState(t)
	b.keys, b.fixed = a.keys, a.fixed
	c := Canister{Controllers: []principal.Principal{alice}, ModuleHash: []byte("h")}
	a.SetCanister(one, c)
	a.SetCertifiedData(one, []byte("x"))
	c.CertifiedData = []byte("x")
	b.SetCanister(one, c)
	require.Equal(t, certify(t, a, 5).RootHash(), certify(t, b, 5).RootHash())
}

func TestSubnets(t *testing.T) {
	s := newState(t)
	s.SetMetrics(Metrics{Canisters: 1, StateBytes: 2, ConsumedCycles: [2]uint64{3, 4}, UpdateTransactions: 5})
	snapshot := certify(t, s, 1)
	app, root, node := s.Keys().SubnetID(), s.Keys().RootID(), s.Keys().NodeID()
	tree := open(t, s, snapshot.Certificate(path("subnet"), path("canister_ranges", app)), one)
	for _, p := range []Path{
		path("subnet", app, "public_key"), path("subnet", app, "type"), path("subnet", app, "canister_ranges"),
		path("subnet", app, "node", node, "public_key"), path("subnet", root, "public_key"), path("subnet", root, "type"),
	} {
		_, status := tree.Lookup(p...)
		require.Equal(t, hashtree.Found, status, "%q", p)
	}
	metrics, _ := tree.Lookup(path("subnet", app, "metrics")...)
	require.Equal(t, "\xd9\xd9\xf7\xa4\x00\x01\x01\x02\x02\xa2\x00\x03\x01\x04\x03\x05", string(metrics))
	ranges, err := certificate.Ranges(tree, app)
	require.NoError(t, err)
	require.Contains(t, ranges, DefaultRanges()[0])
	require.True(t, s.Hosts(one))
	require.False(t, s.Hosts(principal.Management))
}

func TestRequests(t *testing.T) {
	s := newState(t)
	id, other := request.ID{1}, request.ID{2}
	s.SetRequest(other, Request{Sender: alice, Status: Replied, Reply: []byte("private")})
	s.SetRequest(id, Request{Sender: alice, Status: Processing})
	snapshot := certify(t, s, 1)
	tree := open(t, s, snapshot.RequestCertificate(id), one)
	status, _ := tree.Lookup(path("request_status", id, "status")...)
	require.Equal(t, "processing", string(status))
	_, found := tree.Lookup(path("request_status", other, "reply")...)
	require.Equal(t, hashtree.Unknown, found)

	done := make(chan *Snapshot)
	go func() { done <- s.Wait(context.Background(), id) }()
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		s.mu.RLock()
		waiting = len(s.waiters) == 1
		s.mu.RUnlock()
	}
	s.SetRequest(id, Request{Sender: alice, Status: Rejected, Reject: reject.New(reject.CalledTrap, "no")})
	certify(t, s, 2)
	tree = open(t, s, (<-done).RequestCertificate(id), one)
	for label, want := range map[string]string{"status": "rejected", "reject_code": "\x05", "reject_message": "no", "error_code": "IC0503"} {
		got, _ := tree.Lookup(path("request_status", id, label)...)
		require.Equal(t, want, string(got), label)
	}
	require.NotNil(t, s.Wait(context.Background(), id), "a settled request needs no waiting")

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.Nil(t, s.Wait(ended, request.ID{3}))
	require.Empty(t, s.waiters)

	s.RemoveRequest(id)
	_, found = certify(t, s, 3).Tree().Lookup(path("request_status", id, "status")...)
	require.Equal(t, hashtree.Absent, found)
}

func TestDelegationIsRefreshed(t *testing.T) {
	s := newState(t)
	delegation := func(time uint64) string {
		c, err := certificate.Decode(certify(t, s, time).Certificate())
		require.NoError(t, err)
		return string(c.Delegation.Certificate)
	}
	const day = uint64(24 * time.Hour)
	first := delegation(100 * day)
	require.Equal(t, first, delegation(101*day))
	second := delegation(101*day + 1)
	require.NotEqual(t, first, second)
	require.NotEqual(t, second, delegation(day), "time may be set back, too")
}
