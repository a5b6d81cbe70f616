package subnet

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
	"kedge/replica/subnet/reply"
)

// minLogLimit is the least that a log holds, in bytes, if it is not switched off; production raises what is less.
const minLogLimit = 4096

func updateSettings(m *managementCall, c *canister, a management.UpdateSettingsArg) ([]byte, *reject.Error) {
	s := c.Settings
	if err := s.apply(&a.Settings); err != nil {
		return nil, err
	}
	if err := m.checkSettings(c, &s, &a.Settings); err != nil {
		return nil, err
	}
	c.Settings = s
	c.Version++
	c.Logs.trim(s.LogMemoryLimit)
	m.watchMemory(c)
	if a.Settings.Controllers != nil {
		by := m.by(a.SenderCanisterVersion)
		by.Kind, by.Controllers = changeControllers, s.Controllers
		m.record(c, by)
		m.touchCanister(c.ID)
	}
	return emptyReply, nil
}

// apply changes the settings that are asked for, in production's order; if one of them is out of its range, the
// settings are not to be used. What they ask of the canister and the network is the business of checkSettings.
func (s *settings) apply(a *management.Settings) *reject.Error {
	if a.Controllers != nil {
		s.Controllers = sortedSet(a.Controllers)
	}
	for _, field := range []func() *reject.Error{
		within64(a.ComputeAllocation, &s.ComputeAllocation, 100, "ComputeAllocation expected to be in the range [0..100], got %s"),
		within64(a.MemoryAllocation, &s.MemoryAllocation, math.MaxUint64, "MemoryAllocation expected to be in the range [0..2^64-1], got %s"),
		within64(a.FreezingThreshold, &s.FreezingThreshold, math.MaxUint64, "Freezing threshold expected to be in the range of [0..2^64-1], got %s"),
		within128(a.ReservedCyclesLimit, &s.ReservedCyclesLimit, "Reserved cycles limit"),
		within128(a.MinimumIncomingCanisterCallCycles, &s.MinimumIncomingCycles, "Minimum incoming canister call cycles"),
		within64(a.LogMemoryLimit, &s.LogMemoryLimit, math.MaxUint64, "Log memory limit expected to be in the range of [0..2^64-1], got %s"),
		within64(a.WasmMemoryLimit, &s.WasmMemoryLimit, 1<<48, "Wasm memory limit expected to be in the range of [0..2^64-1], got %s"),
		within64(a.WasmMemoryThreshold, &s.WasmMemoryThreshold, math.MaxUint64, "Wasm memory threshold expected to be in the range of [0..2^64-1], got %s"),
	} {
		if err := field(); err != nil {
			return err
		}
	}
	s.LogLimitSet = s.LogLimitSet || a.LogMemoryLimit != nil
	setVisibility(&s.LogVisibility, a.LogVisibility)
	setVisibility(&s.SnapshotVisibility, a.SnapshotVisibility)
	setVisibility(&s.StatusVisibility, a.StatusVisibility)
	return s.applyEnvironment(a.EnvironmentVariables)
}

// within64 takes a number over, if one is asked for, unless it is greater than the most that is allowed.
func within64(asked **big.Int, to *uint64, most uint64, text string) func() *reject.Error {
	return func() *reject.Error {
		if asked == nil {
			return nil
		}
		if value := *asked; !value.IsUint64() || value.Uint64() > most {
			return outOfRange(text, grouped(value))
		}
		*to = (*asked).Uint64()
		return nil
	}
}

// within128 takes an amount of cycles over, if one is asked for.
func within128(asked **big.Int, to *cycles.Amount, name string) func() *reject.Error {
	return func() *reject.Error {
		if asked == nil {
			return nil
		}
		if (*asked).BitLen() > 128 {
			return outOfRange("%s expected to be in the range of [0..2^128-1], got %s", name, grouped(*asked))
		}
		*to = cycles.FromBig(*asked)
		return nil
	}
}

// sortedSet orders principals by their bytes and removes repetitions. It is never nil.
func sortedSet(list []principal.Principal) []principal.Principal {
	out := append([]principal.Principal{}, list...)
	slices.SortFunc(out, func(a, b principal.Principal) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return slices.Compact(out)
}

// binaryUnits writes a number of bytes with two decimals, as production does.
func binaryUnits(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(n), 0
	for value > 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.2f %s", value, units[unit])
}

// checkSettings refuses settings that are too large for the canister or the network, in production's order
// (dfinity/ic, rs/execution_environment, canister_manager.rs, validate_and_update_canister_settings).
func (n *Subnet) checkSettings(c *canister, s *settings, asked *management.Settings) *reject.Error {
	if err := s.checkEnvironment(asked.EnvironmentVariables); err != nil {
		return err
	}
	used := c.memory().total()
	if available := n.availableMemory() + max(used, c.Settings.MemoryAllocation); max(used, s.MemoryAllocation) > available {
		return noMemory(max(used, s.MemoryAllocation), available)
	}
	if asked.ComputeAllocation != nil {
		if available := n.availableCompute() + c.Settings.ComputeAllocation; s.ComputeAllocation > available {
			return advised(reject.New(reject.SubnetOversubscribed, "Canister requested a compute allocation of %d%% which cannot be satisfied because the Subnet's remaining compute capacity is %d%%.",
				s.ComputeAllocation, available), "Try moving to another subnet.", "subnet-compute-capacity-oversubscribed")
		}
	}
	if err := n.checkAffordable(c, s, used); err != nil {
		return err
	}
	if s.LogMemoryLimit > maxLogLimit {
		return reject.New(reject.CanisterRejectedMessage, "The canister log memory limit %d is too high. It must be at most %d.", s.LogMemoryLimit, maxLogLimit)
	}
	if s.LogMemoryLimit != 0 {
		s.LogMemoryLimit = max(s.LogMemoryLimit, minLogLimit)
	}
	return nil
}

// checkAffordable refuses allocations that the balance could not carry for the freezing threshold, as all new
// settings together make it.
func (n *Subnet) checkAffordable(c *canister, s *settings, used uint64) *reject.Error {
	reserve := n.reserveWith(&canister{Settings: *s}, used)
	if !c.Balance.Less(reserve) {
		return nil
	}
	missing := grouped(reserve.Minus(c.Balance))
	switch {
	case s.ComputeAllocation > c.Settings.ComputeAllocation:
		return advised(reject.New(reject.InsufficientCyclesInComputeAllocation,
			"Cannot increase compute allocation to %d%% due to insufficient cycles. At least %s additional cycles are required.",
			s.ComputeAllocation, missing), "Top up the canister with more cycles.", "insufficient-cycles-in-compute-allocation")
	case s.MemoryAllocation > c.Settings.MemoryAllocation:
		return advised(reject.New(reject.InsufficientCyclesInMemoryAllocation,
			"Cannot increase memory allocation to %s due to insufficient cycles. At least %s additional cycles are required.",
			binaryUnits(s.MemoryAllocation), missing), "Top up the canister with more cycles.", "insufficient-cycles-in-memory-allocation")
	}
	return nil
}

// applyEnvironment replaces the environment variables, if any are given; they are kept ordered by name.
func (s *settings) applyEnvironment(asked []management.Variable) *reject.Error {
	if asked == nil {
		return nil
	}
	variables := make([]exec.Variable, 0, len(asked))
	for _, v := range asked {
		// The argument's memory is not ours to keep.
		variables = append(variables, exec.Variable{Name: strings.Clone(v.Name), Value: strings.Clone(v.Value)})
	}
	slices.SortFunc(variables, func(a, b exec.Variable) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(variables); i++ {
		if variables[i].Name == variables[i-1].Name {
			return invalid("Duplicate environment variables are not allowed")
		}
	}
	s.Environment = variables
	return nil
}

// checkEnvironment refuses too many environment variables, and those that are too long.
func (s *settings) checkEnvironment(asked []management.Variable) *reject.Error {
	if asked == nil {
		return nil
	}
	if len(s.Environment) > maxVariables {
		return invalid("Too many environment variables: %d (max: %d)", len(s.Environment), maxVariables)
	}
	for _, v := range s.Environment {
		switch {
		case len(v.Name) > exec.MaxVariableName:
			return invalid(`Environment variable name "%s" exceeds the maximum allowed length of %d.`, v.Name, exec.MaxVariableName)
		case len(v.Value) > exec.MaxVariableName:
			return invalid(`Environment variable value "%s" exceeds the maximum allowed length of %d.`, v.Value, exec.MaxVariableName)
		}
	}
	return nil
}

// environmentHash is the hash of the environment variables as the history has it: of the hashes of name
// and value of each, in order. It is nil if there are none.
func (s *settings) environmentHash() []byte {
	if len(s.Environment) == 0 {
		return nil
	}
	var pairs [][]byte
	for _, v := range s.Environment {
		name, value := sha256.Sum256([]byte(v.Name)), sha256.Sum256([]byte(v.Value))
		pairs = append(pairs, append(name[:], value[:]...))
	}
	slices.SortFunc(pairs, bytes.Compare)
	sum := sha256.Sum256(bytes.Join(pairs, nil))
	return sum[:]
}

func setVisibility(to *visibility, asked *management.Visibility) {
	if asked == nil {
		return
	}
	switch asked.Tag {
	case management.VisibilityTagPublic:
		*to = visibility{Public: true}
	case management.VisibilityTagAllowedViewers:
		*to = visibility{Named: true, Viewers: asked.AllowedViewers}
	default:
		*to = visibility{}
	}
}

func (v visibility) encode() reply.Visibility {
	switch {
	case v.Public:
		return reply.Visibility{Tag: reply.VisibilityTagPublic}
	case v.Named:
		return reply.Visibility{Tag: reply.VisibilityTagAllowedViewers, AllowedViewers: v.Viewers}
	}
	return reply.Visibility{Tag: reply.VisibilityTagControllers}
}

// firstController is what older interfaces call the controller: the first of them, or the management canister.
func (s *settings) firstController() principal.Principal {
	if len(s.Controllers) == 0 {
		return principal.Management
	}
	return s.Controllers[0]
}

func (s *settings) encode() reply.DefiniteSettings {
	out := reply.DefiniteSettings{
		Controller:                        s.firstController(),
		Controllers:                       s.Controllers,
		ComputeAllocation:                 nat(s.ComputeAllocation),
		MemoryAllocation:                  nat(s.MemoryAllocation),
		FreezingThreshold:                 nat(s.FreezingThreshold),
		ReservedCyclesLimit:               s.ReservedCyclesLimit.Big(),
		MinimumIncomingCanisterCallCycles: s.MinimumIncomingCycles.Big(),
		LogVisibility:                     s.LogVisibility.encode(),
		SnapshotVisibility:                s.SnapshotVisibility.encode(),
		StatusVisibility:                  s.StatusVisibility.encode(),
		WasmMemoryLimit:                   nat(s.WasmMemoryLimit),
		WasmMemoryThreshold:               nat(s.WasmMemoryThreshold),
	}
	out.LogMemoryLimit = nat(0)
	if s.LogLimitSet {
		out.LogMemoryLimit = nat(s.LogMemoryLimit)
	}
	for _, v := range s.Environment {
		out.EnvironmentVariables = append(out.EnvironmentVariables, reply.Variable{Name: v.Name, Value: v.Value})
	}
	return out
}

func nat(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
