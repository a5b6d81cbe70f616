package cdktest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/cdk"
	"kedge/cdk/cdktest"
	"kedge/ic/principal"
)

func TestMessages(t *testing.T) {
	n := cdktest.Install(t)
	alice := principal.SelfAuthenticating([]byte("alice"))
	n.SetCaller(alice)
	n.AddController(alice)
	n.SetTime(100)
	n.SetCycles(cdk.Amount(9))
	who := func() {
		cdk.Update(func() {
			require.Equal(t, alice, cdk.Caller())
			require.True(t, cdk.IsController(alice))
			require.False(t, cdk.IsController(cdk.ID()))
			require.True(t, cdk.InReplicatedExecution())
			require.EqualValues(t, 100, cdk.Time())
			require.Equal(t, cdk.Amount(4), cdk.AcceptCycles(cdk.Amount(4)))
			require.Equal(t, cdk.Amount(5), cdk.CyclesAvailable())
			require.Less(t, cdk.PerformanceCounter(), cdk.CallContextCounter())
			cdk.Print("seen")
			room := make([]byte, 4)
			require.Equal(t, "arg", string(cdk.ArgInto(room[:2])), "there is no room for it")
			require.Equal(t, make([]byte, 4), room)
			require.Same(t, &room[1], &cdk.ArgInto(room[:1])[0])
			require.Equal(t, "\x00arg", string(room))
			cdk.Reply(cdk.Arg())
		})
	}
	reply, err := n.Update(who, []byte("arg"))
	require.NoError(t, err)
	require.Equal(t, "arg", string(reply))
	require.Equal(t, []string{"seen"}, n.Log())

	_, err = n.Update(func() { cdk.Update(func() { cdk.Reject("no") }) }, nil)
	require.Equal(t, &cdktest.Reject{Message: "no"}, err)
	_, err = n.Update(func() { cdk.Update(func() {}) }, nil)
	require.Equal(t, cdktest.ErrNoReply, err)
	_, err = n.Update(func() { cdk.Update(func() { cdk.Reply(nil); cdk.Reply(nil) }) }, nil)
	require.ErrorContains(t, err, "answered already")

	in, err := n.Inspect(func() {
		cdk.InspectMessage(func() {
			if cdk.MethodName() == "m" {
				cdk.AcceptMessage()
			}
		})
	}, "m", nil)
	require.NoError(t, err)
	require.True(t, in)
}

func TestPanicsAreTraps(t *testing.T) {
	n := cdktest.Install(t)
	for want, how := range map[string]func(){
		"text":    func() { panic("text") },
		"error":   func() { panic(errors.New("error")) },
		"trapped": func() { cdk.Trap("trapped") },
		"42":      func() { panic(42) },
		"runtime error: index out of range [3] with length 0": func() { _ = make([]int, 0)[len("abc")] },
	} {
		_, err := n.Update(func() { cdk.Update(how) }, nil)
		require.Equal(t, &cdktest.Trap{Message: want}, err)
	}
}

func TestTrapsAndQueriesLeaveNothing(t *testing.T) {
	n := cdktest.Install(t)
	change := func(then func()) func() {
		return func() {
			cdk.Update(func() {
				require.NoError(t, cdk.Stable().Grow(1))
				_, err := cdk.Stable().WriteAt([]byte("new"), 0)
				require.NoError(t, err)
				cdk.SetCertifiedData([]byte("root"))
				cdk.SetTimer(5)
				require.NoError(t, cdk.Call(cdk.ID(), "m", nil, cdk.Cycles{}, nil, nil))
				then()
			})
		}
	}
	_, err := n.Update(change(func() { cdk.Trap("no") }), nil)
	require.Error(t, err)
	require.Empty(t, n.StableImage())
	require.Empty(t, n.CertifiedData())
	require.Zero(t, n.TimerAt())
	require.Empty(t, n.Calls())

	_, err = n.Update(change(func() { cdk.Reply(nil) }), nil)
	require.NoError(t, err)
	require.Equal(t, "new", string(n.StableImage()[:3]))
	require.Equal(t, "root", string(n.CertifiedData()))
	require.EqualValues(t, 5, n.TimerAt())
	require.Len(t, n.Calls(), 1)

	_, err = n.Query(func() {
		cdk.Query(func() {
			_, err := cdk.Stable().WriteAt([]byte("old"), 0)
			require.NoError(t, err)
			cdk.Reply(nil)
		})
	}, nil)
	require.NoError(t, err)
	require.Equal(t, "new", string(n.StableImage()[:3]))
	for _, forbidden := range []func(){
		func() { cdk.SetTimer(1) },
		func() { cdk.SetCertifiedData(nil) },
		func() { _ = cdk.Call(cdk.ID(), "m", nil, cdk.Cycles{}, nil, nil) },
	} {
		_, err := n.Query(func() { cdk.Query(forbidden) }, nil)
		require.ErrorContains(t, err, "in a query")
	}
}

func TestStableMemory(t *testing.T) {
	n := cdktest.Install(t)
	n.LimitStable(3)
	err := n.Deliver(func() {
		cdk.Init(func() {
			m := cdk.Stable()
			require.ErrorIs(t, m.Grow(4), cdk.ErrStableFull)
			require.NoError(t, m.Grow(2))
			require.EqualValues(t, 2*cdk.PageSize, m.Size())

			b := []byte("xxxx")
			got, err := m.ReadAt(b, m.Size()-2)
			require.Equal(t, 2, got)
			require.Equal(t, io.EOF, err)
			require.Equal(t, "\x00\x00xx", string(b))
			got, err = m.ReadAt(b, m.Size()+1)
			require.Zero(t, got)
			require.Equal(t, io.EOF, err)
			_, err = m.ReadAt(b, -1)
			require.ErrorContains(t, err, "negative offset -1")

			got, err = m.WriteAt(b, m.Size()-2)
			require.Zero(t, got)
			require.ErrorIs(t, err, io.ErrShortWrite)
			_, err = m.WriteAt(b, -1)
			require.ErrorContains(t, err, "negative offset -1")
			got, err = m.WriteAt(nil, m.Size())
			require.Zero(t, got)
			require.NoError(t, err)
		})
	}, nil)
	require.NoError(t, err)

	n.FailWrite(2)
	write := func() {
		cdk.Update(func() {
			for _, text := range []string{"one", "two"} {
				_, _ = cdk.Stable().WriteAt([]byte(text), 10)
			}
			cdk.Reply(nil)
		})
	}
	_, err = n.Update(write, nil)
	require.ErrorContains(t, err, "injected fault")
	require.Equal(t, byte(0), n.StableImage()[10], "the first write was undone")
	_, err = n.Update(write, nil)
	require.NoError(t, err)
	require.Equal(t, "two", string(n.StableImage()[10:13]))

	n.SetStableImage([]byte("image"))
	require.Len(t, n.StableImage(), cdk.PageSize)
	require.Equal(t, "image", string(n.StableImage()[:5]))
}

// Stable memory is an array of bytes, whatever is written, trapped and queried.
func TestStableMemoryIsAnArray(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := cdktest.Install(t)
		n.SetStableImage(make([]byte, 3*cdk.PageSize))
		model := make([]byte, 3*cdk.PageSize)
		for range rapid.IntRange(1, 10).Draw(rt, "messages") {
			trap := rapid.Bool().Draw(rt, "trap")
			_, err := n.Update(func() {
				cdk.Update(func() {
					for range rapid.IntRange(1, 3).Draw(rt, "writes") {
						text := rapid.SliceOfN(rapid.Byte(), 0, 70000).Draw(rt, "text")
						at := rapid.Int64Range(0, int64(len(model)-len(text))).Draw(rt, "at")
						_, err := cdk.Stable().WriteAt(text, at)
						require.NoError(rt, err)
						if !trap {
							copy(model[at:], text)
						}
					}
					if trap {
						cdk.Trap("no")
					}
					cdk.Reply(nil)
				})
			}, nil)
			require.Equal(rt, trap, err != nil)
			require.True(rt, string(model) == string(n.StableImage()))
		}
	})
}

func TestCalls(t *testing.T) {
	n := cdktest.Install(t)
	alice, bob := principal.SelfAuthenticating([]byte("alice")), principal.SelfAuthenticating([]byte("bob"))
	var cleaned bool
	call := func() {
		cdk.Update(func() {
			err := cdk.Request{
				Callee: bob, Method: "m", Arg: []byte("a"), Cycles: cdk.Amount(3), TimeoutSeconds: 4,
				OnReply: func(reply []byte) {
					require.Equal(t, alice, cdk.Caller())
					if len(reply) == 0 {
						panic("empty")
					}
					cdk.Reply(reply)
				},
				OnReject:  func(code cdk.RejectCode, text string) { cdk.Reject(text) },
				OnCleanup: func() { cleaned = true },
			}.Send()
			if err != nil {
				cdk.Reject(err.Error())
			}
		})
	}
	next := func() *cdktest.Call {
		n.SetCaller(alice)
		_, err := n.Update(call, nil)
		require.Equal(t, cdktest.ErrNoReply, err)
		n.SetCaller(bob)
		return n.Calls()[len(n.Calls())-1]
	}
	c := next()
	require.Equal(t, bob, c.Callee)
	require.Equal(t, "m", c.Method)
	require.Equal(t, "a", string(c.Arg))
	require.Equal(t, cdk.Amount(3), c.Cycles)
	require.EqualValues(t, 4, c.TimeoutSeconds)
	reply, err := n.Reply(c, []byte("yes"))
	require.NoError(t, err)
	require.Equal(t, "yes", string(reply))
	_, err = n.Reply(c, nil)
	require.ErrorContains(t, err, "has been answered")

	_, err = n.Reject(next(), cdk.CanisterError, "why not")
	require.Equal(t, &cdktest.Reject{Message: "why not"}, err)

	require.False(t, cleaned)
	_, err = n.Reply(next(), nil)
	require.ErrorContains(t, err, "empty")
	require.True(t, cleaned)

	n.RefuseCalls(true)
	n.SetCaller(alice)
	_, err = n.Update(call, nil)
	require.ErrorContains(t, err, "the network did not take the call")
	require.Empty(t, n.Calls())
}

func TestTimerAndUpgrade(t *testing.T) {
	n := cdktest.Install(t)
	fired := 0
	timer := func() {
		cdk.Timer(func() {
			fired++
			require.Equal(t, principal.Management, cdk.Caller())
			require.EqualValues(t, 500, cdk.Time())
		})
	}
	require.NoError(t, n.FireTimer(timer))
	require.Zero(t, fired, "it is not set")
	n.SetTime(300)
	set := func() { cdk.Update(func() { require.Zero(t, cdk.SetTimer(500)); cdk.Reply(nil) }) }
	_, err := n.Update(set, nil)
	require.NoError(t, err)
	require.NoError(t, n.FireTimer(timer))
	require.NoError(t, n.FireTimer(timer))
	require.Equal(t, 1, fired, "it fires once")

	_, err = n.Update(set, nil)
	require.NoError(t, err)
	n.Upgrade()
	require.Zero(t, n.TimerAt())
}

func TestSeedRandom(t *testing.T) {
	n := cdktest.Install(t)
	var results []error
	seed := func() { cdk.Update(func() { cdk.SeedRandom(func(err error) { results = append(results, err) }) }) }
	_, err := n.Update(seed, nil)
	require.Equal(t, cdktest.ErrNoReply, err)
	c := n.Calls()[0]
	require.Equal(t, principal.Management, c.Callee)
	require.Equal(t, "raw_rand", c.Method)
	_, err = n.Reply(c, []byte("DIDL\x01\x6d\x7b\x01\x00\x20"+strings.Repeat("e", 32)))
	require.NoError(t, err)

	_, err = n.Update(seed, nil)
	require.Equal(t, cdktest.ErrNoReply, err)
	_, err = n.Reject(n.Calls()[0], cdk.SysTransient, "later")
	require.NoError(t, err)

	n.RefuseCalls(true)
	_, _ = n.Update(seed, nil)
	require.Len(t, results, 3)
	require.NoError(t, results[0])
	require.ErrorIs(t, results[1], cdk.ErrNoRandomness)
	require.ErrorContains(t, results[1], "code 2: later")
	require.ErrorIs(t, results[2], cdk.ErrNoRandomness)
}

func TestWithoutNetwork(t *testing.T) {
	require.PanicsWithValue(t, "cdk: there is no network outside a canister: install a fake one, see package cdktest",
		func() { cdk.Update(func() {}) })
}

// What a message may ask of the network beside its argument and caller.
func TestWhatTheNetworkSays(t *testing.T) {
	network := cdktest.Install(t)
	network.SetCertificate([]byte("certificate"))
	certificate := func() {
		b, ok := cdk.DataCertificate()
		cdk.Reply(append([]byte(fmt.Sprint(ok, " ")), b...))
	}
	reply, err := network.Query(func() { cdk.Query(certificate) }, nil)
	require.NoError(t, err)
	require.Equal(t, "true certificate", string(reply))
	reply, err = network.Update(func() { cdk.Update(certificate) }, nil)
	require.NoError(t, err)
	require.Equal(t, "false ", string(reply), "there is none in an update")

	var versions []uint64
	for _, entry := range []func(func()){cdk.Update, cdk.Heartbeat, cdk.PreUpgrade} {
		require.NoError(t, network.Deliver(func() { entry(func() { versions = append(versions, cdk.CanisterVersion()) }) }, nil))
	}
	require.Less(t, versions[0], versions[1])
	require.Less(t, versions[1], versions[2])
	before := versions[2]
	network.Upgrade()
	require.NoError(t, network.Deliver(func() { cdk.PostUpgrade(func() { versions = append(versions, cdk.CanisterVersion()) }) }, nil))
	require.Less(t, before, versions[3], "an upgrade counts")

	// Cycles that come with a call are the canister's once it accepts them.
	var was cdk.Cycles
	network.SetCycles(cdk.Amount(100))
	_, err = network.Update(func() {
		cdk.Update(func() {
			was = cdk.Balance()
			require.Equal(t, cdk.Amount(40), cdk.AcceptCycles(cdk.Amount(40)))
			require.Equal(t, was.Low+40, cdk.Balance().Low)
			require.Equal(t, cdk.Amount(60), cdk.CyclesAvailable())
		})
	}, nil)
	require.ErrorIs(t, err, cdktest.ErrNoReply)

	refunded := map[string]cdk.Cycles{}
	ask := func() {
		require.NoError(t, cdk.Request{Callee: principal.Management, Method: "m", Cycles: cdk.Amount(3),
			OnReply:  func([]byte) { refunded["reply"] = cdk.CyclesRefunded() },
			OnReject: func(cdk.RejectCode, string) { refunded["reject"] = cdk.CyclesRefunded() },
		}.Send())
	}
	for range 2 {
		require.NoError(t, network.Deliver(func() { cdk.Update(ask) }, nil))
	}
	_, _ = network.Reply(network.Calls()[0], nil)
	_, _ = network.Reject(network.Calls()[0], cdk.RejectCode(4), "no")
	require.Equal(t, map[string]cdk.Cycles{"reply": {}, "reject": cdk.Amount(3)}, refunded)
}
