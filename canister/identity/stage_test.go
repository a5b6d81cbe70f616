package identity

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

const (
	testNow     = 1000 * day
	testService = 500 * day
)

var (
	testCanister = principal.Canister(7)
	testStranger = principal.SelfAuthenticating([]byte("a stranger"))
	testTemp     = principal.SelfAuthenticating([]byte("a temporary key"))
)

func key(name string) []byte { return []byte("key of " + name) }

func who(name string) principal.Principal { return principal.SelfAuthenticating(key(name)) }

// passkey and phrase are what a client sends.
func passkey(name string) Data {
	return Data{PublicKey: key(name), Alias: name, CredentialID: []byte("credential of " + name), KeyType: Platform}
}

func phrase(name string) Data {
	return Data{PublicKey: key(name), Alias: name, KeyType: SeedPhrase, Purpose: Recovery}
}

func marked(d Data) Data { d.Protected = true; return d }

// with changes a device of the stage before the test begins.
type with func(*Device)

func proven(d *Device)    { d.Proven, d.LastUsed = true, testNow-day }
func protected(d *Device) { proven(d); d.Protected = true }
func fresh(d *Device)     { d.Protected, d.LapsesAt = true, testService+LapseAfter } // marked, not proven
func temporary(d *Device) { d.Temporary = TemporaryKey{testTemp, testNow + TemporaryKeyLife} }

// device makes a device for a stage: proven, unless a change says otherwise.
func device(data Data, changes ...with) Device {
	d := Device{Data: data, Principal: principal.SelfAuthenticating(data.PublicKey), AddedAt: testNow - 100*day}
	for _, change := range changes {
		change(&d)
	}
	return d
}

// stage is an anchor in mid-life. Devices are numbered in order.
func stage(devices ...Device) *Anchor {
	for i := range devices {
		devices[i].ID = DeviceID(i)
	}
	return &Anchor{Number: 10000, CreatedAt: testNow - 100*day, Devices: devices}
}

// consents lets device i of the stage consent to its release by the askers.
func (a *Anchor) consents(i int, askers ...Asker) *Anchor {
	a.Devices[i].Consent = &Consent{Delay: MinReleaseDelay, Askers: askers}
	return a
}

func (a *Anchor) withdrawn(i int) *Anchor { a.Devices[i].Consent = nil; return a }

func (a *Anchor) guarded() *Anchor { a.Guard = true; return a }

func callBy(p principal.Principal) Call {
	return Call{Caller: p, Canister: testCanister, Now: testNow, Service: testService}
}

// as authenticates a device by name.
func (a *Anchor) as(t *testing.T, name string) *Actor {
	t.Helper()
	return a.by(t, who(name))
}

func (a *Anchor) by(t *testing.T, p principal.Principal) *Actor {
	t.Helper()
	actor, err := a.Authenticate(callBy(p))
	require.NoError(t, err)
	a.Events = nil
	return actor
}

// granted makes a call that must be granted.
func granted(t *testing.T, a *Anchor, p principal.Principal, do func(*Actor) error) {
	t.Helper()
	require.NoError(t, do(a.by(t, p)))
}

// refused makes a call that must be refused with the code and leave the anchor as Authenticate left it.
func refused(t *testing.T, a *Anchor, p principal.Principal, code Code, do func(*Actor) error) *Error {
	t.Helper()
	actor := a.by(t, p)
	before := clone(a)
	err := do(actor)
	require.Error(t, err)
	require.Equal(t, code.String(), CodeOf(err).String(), err.Error())
	require.Equal(t, before, a, "a refusal changes nothing")
	return err.(*Error)
}

// ruleTest is one row of a table of calls.
type ruleTest struct {
	name   string
	anchor *Anchor
	by     principal.Principal
	do     func(*Actor) error
	want   Code // 0 if granted
	then   func(*testing.T, *Anchor)
}

func run(t *testing.T, tests []ruleTest) {
	t.Helper()
	for _, p := range tests {
		t.Run(p.name, func(t *testing.T) {
			if p.want != 0 {
				refused(t, p.anchor, p.by, p.want, p.do)
			} else {
				granted(t, p.anchor, p.by, p.do)
			}
			if p.then != nil {
				p.then(t, p.anchor)
			}
		})
	}
}

func add(d Data) func(*Actor) error { return func(c *Actor) error { return c.Add(d) } }
func update(name string, d Data) func(*Actor) error {
	return func(c *Actor) error { return c.Update(key(name), d) }
}
func replace(name string, d Data) func(*Actor) error {
	return func(c *Actor) error { return c.Replace(key(name), d) }
}
func remove(name string) func(*Actor) error {
	return func(c *Actor) error { _, err := c.Remove(key(name)); return err }
}
func protect(name string) func(*Actor) error {
	return func(c *Actor) error { return c.Protect(key(name)) }
}
func unprotect(name string) func(*Actor) error {
	return func(c *Actor) error { return c.Unprotect(key(name)) }
}
func guard(on bool) func(*Actor) error { return func(c *Actor) error { return c.SetGuard(on) } }
func demand(on bool) func(*Actor) error {
	return func(c *Actor) error { return c.SetDeviceBound(on) }
}
func limit(seconds *uint64) func(*Actor) error {
	return func(c *Actor) error { return c.SetSessionLimit(seconds) }
}
func consent(delay uint64, names ...string) func(*Actor) error {
	keys := [][]byte{}
	for _, name := range names {
		keys = append(keys, key(name))
	}
	return func(c *Actor) error { return c.SetConsent(delay, keys) }
}
func withdraw(c *Actor) error { return c.WithdrawConsent() }
func request(name string) func(*Actor) error {
	return func(c *Actor) error { _, err := c.RequestRelease(key(name)); return err }
}
func cancel(name string) func(*Actor) error {
	return func(c *Actor) error { return c.CancelRelease(key(name)) }
}
func complete(name string) func(*Actor) error {
	return func(c *Actor) error { return c.CompleteRelease(key(name)) }
}
func enter(c *Actor) error  { _, err := c.EnterRegistration(); return err }
func exit(c *Actor) error   { return c.ExitRegistration() }
func verify(c *Actor) error { _, _, err := c.VerifyDevice(42); return err }

func has(names ...string) func(*testing.T, *Anchor) {
	return func(t *testing.T, a *Anchor) {
		t.Helper()
		got := []string{}
		for i := range a.Devices {
			got = append(got, string(a.Devices[i].PublicKey[len("key of "):]))
		}
		require.Equal(t, names, got)
	}
}

func isProtected(name string, want bool) func(*testing.T, *Anchor) {
	return func(t *testing.T, a *Anchor) {
		t.Helper()
		require.Equal(t, want, a.byKey(key(name)).protected())
	}
}

func kinds(a *Anchor) (out []EventKind) {
	for _, e := range a.Events {
		out = append(out, e.Kind)
	}
	return out
}

func clone(a *Anchor) *Anchor {
	b := *a
	b.Devices, b.Copies, b.Events = slices.Clone(a.Devices), slices.Clone(a.Copies), slices.Clone(a.Events)
	for i := range b.Devices {
		if c := b.Devices[i].Consent; c != nil {
			b.Devices[i].Consent = &Consent{c.Delay, slices.Clone(c.Askers)}
		}
	}
	if a.Registration != nil {
		r := *a.Registration
		b.Registration = &r
	}
	if a.Contacts != nil {
		c := *a.Contacts
		c.List = slices.Clone(c.List)
		b.Contacts = &c
	}
	return &b
}
