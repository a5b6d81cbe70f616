package cdk

import "kedge/ic/principal"

// ID returns the canister's own id.
func ID() principal.Principal { return system.Self() }

// RootKey returns the key of the network's root, a BLS key in DER of 133 bytes. A canister tells mainnet, whose
// key is public, from a local network by it. It traps in a query that one replica alone runs, and in the start
// function.
func RootKey() []byte { return system.RootKey() }

// CanisterVersion returns a number that grows with every change to the canister: messages that
// change state, upgrades, settings.
func CanisterVersion() uint64 { return system.Version() }

// IsController reports whether p may install, stop and delete this canister.
func IsController(p principal.Principal) bool { return system.IsController(p) }

// Time returns the time of the message in nanoseconds since 1970. It stands still while the message
// runs, and the network makes it: it is about right, and never goes back.
func Time() uint64 { return system.Time() }

// SetTimer makes the network call the entry point of [Timer] once, as soon as [Time] has reached at
// (nanoseconds since 1970); 0 cancels. There is one timer: it returns what was set before, 0 for
// nothing. An upgrade cancels it.
func SetTimer(at uint64) (previous uint64) { return system.SetTimer(at) }

// SetCertifiedData makes the network certify up to 32 bytes, usually the root of a hash tree. The
// certificate is there in queries of later rounds. More than 32 bytes trap.
func SetCertifiedData(data []byte) { system.SetCertifiedData(data) }

// DataCertificate returns the certificate of the certified data (CBOR), in a query that is called
// as a query; elsewhere there is none.
func DataCertificate() (certificate []byte, ok bool) { return system.DataCertificate() }

// DataCertificateInto is [DataCertificate] into the room that buf has behind its length, as far as it
// goes, like [ArgInto].
func DataCertificateInto(buf []byte) (certificate []byte, ok bool) { return dataCertificateInto(buf) }

// Cycles is an amount of cycles, a number of 128 bits.
type Cycles struct{ High, Low uint64 }

// Amount returns n cycles.
func Amount(n uint64) Cycles { return Cycles{Low: n} }

// Balance returns the cycles of the canister.
func Balance() Cycles { return system.CycleBalance() }

// CyclesAvailable returns the cycles that came with the call and were not accepted yet.
func CyclesAvailable() Cycles { return system.CyclesAvailable() }

// CyclesRefunded returns, in a callback, the cycles that the callee did not accept.
func CyclesRefunded() Cycles { return system.CyclesRefunded() }

// AcceptCycles takes up to max of the cycles that came with the call and returns how many it took.
func AcceptCycles(max Cycles) Cycles { return system.CyclesAccept(max) }
